"""S3FD, the face detector that is published with Wav2Lip: network, served graph, random checkpoints, export family.

Zhang et al. 2017, "S3FD: Single Shot Scale-invariant Face Detector". What the boxes are made of: docs/FACES.md.
"""
