"""A finished dub as a picture: when the source speaks, when the dub does, how fast and how loud."""
