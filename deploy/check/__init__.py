"""Offline checks of what deploy/ ships: images, compose files, Kubernetes manifests (`python -m deploy.check`).

No container engine and no cluster is needed: linters and schemas come from pip, the rest is read from the files and
held against this checkout. That a file passes does not prove that it runs (docs/DEPLOY.md says what was never run).
"""
