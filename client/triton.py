"""Triton's engines as typed Python objects: make one connection, give it to as many engines as there are tasks.

connection = TritonConnection("127.0.0.1:8001", control_timeout_s=5)
heard = TritonStt(connection, "stt_pocketsphinx", timeout_s=60).transcribe(audio, "en")
"""

from client.boundary import TritonBoundary
from client.connection import TritonConnection
from client.faces import TritonFaces
from client.frames import Transport
from client.lips import TritonLips
from client.mt import TritonMt
from client.stt import TritonStt
from client.tts import TritonTts

__all__ = [
    "Transport",
    "TritonBoundary",
    "TritonConnection",
    "TritonFaces",
    "TritonLips",
    "TritonMt",
    "TritonStt",
    "TritonTts",
]
