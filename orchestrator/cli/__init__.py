"""The command `polylip`."""
