"""A TTS engine whose TEXT says how it behaves ("count 3", "fail 1", "endless", ...), for tests of the client."""

import collections
import os
import threading
import time
import zlib

import numpy as np
import triton_python_backend_utils as pb_utils

NUMBERED = ("endless", "cancelled")  # their number is a name, not a count of chunks
FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


def chunk(samples, rate=24_000, remark=None, restarts=None):
    audio = np.asarray(samples, np.float32)
    rate = np.array([rate], np.int32)
    outputs = [pb_utils.Tensor("AUDIO", audio), pb_utils.Tensor("SAMPLE_RATE_HZ", rate)]
    if remark is not None:
        outputs.append(pb_utils.Tensor("REMARK", np.array([remark.encode()], np.object_)))
    if restarts is not None:
        outputs.append(pb_utils.Tensor("RESTARTS", np.array([restarts])))
    return pb_utils.InferenceResponse(outputs)


def clone(speaker):
    """A second of a tone whose pitch says which voice it is: 200 Hz and 10 Hz for each of 64 values of its hash."""
    pitch_hz = 200 + 10 * (zlib.crc32(speaker.tobytes()) % 64)
    return chunk(0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(24_000) / 24_000))


def failure(message, code):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))


class TritonPythonModel:
    def initialize(self, args):
        self._cancelled = collections.Counter()  # by the number that came with "endless"

    def execute(self, requests):
        for request in requests:
            threading.Thread(target=self._speak, args=(request,), daemon=True).start()

    def _speak(self, request):
        sender = request.get_response_sender()
        text = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()[0].decode()
        speaker = pb_utils.get_input_tensor_by_name(request, "SPEAKER_AUDIO").as_numpy()
        mood, _, count = text.partition(" ")
        error = self._send(sender, mood, int(count or 0), speaker)
        if error is None:
            sender.send(flags=FINAL)
        else:
            sender.send(error, flags=FINAL)

    def _send(self, sender, mood, count, speaker):
        for index in range(count if mood not in NUMBERED else 0):
            sender.send(chunk(np.full(100, (index + 1) / 100)))
        if mood == "fail":
            return failure("RuntimeError: lost my voice", pb_utils.TritonError.INTERNAL)
        if mood == "refuse":
            return failure("TEXT holds nothing to say", pb_utils.TritonError.INVALID_ARG)
        if mood == "die":
            time.sleep(0.2)  # the chunks leave before
            os._exit(1)
        if mood == "slow":
            time.sleep(1.5)
        if mood == "endless":
            self._until_cancelled(sender, count)
        special = {
            "nan": lambda: chunk([0.1, np.nan]),
            "loud": lambda: chunk([1.5]),
            "empty": lambda: chunk([]),
            "rates": lambda: chunk([0.1], 16_000),
            "rate": lambda: chunk([0.1], 1),
            "speaker": lambda: chunk(speaker),
            "clone": lambda: clone(speaker),
            "remark": lambda: chunk([0.1], remark="spoken again: señal"),
            "restart": lambda: chunk([0.2], restarts=True),
            "content": lambda: chunk([0.1], remark=""),
            "cancelled": lambda: chunk(np.zeros(1 + self._cancelled[count])),
        }
        if mood in special:
            sender.send(special[mood]())
        return None

    def _until_cancelled(self, sender, number):
        while not sender.is_cancelled():
            sender.send(chunk(np.zeros(100)))
            time.sleep(0.01)
        self._cancelled[number] += 1
