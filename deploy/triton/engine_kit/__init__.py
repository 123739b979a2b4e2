"""What every Python engine in model_repository/ shares: reading tensors, refusing bad ones, answering one by one.

Triton's Python stub ignores PYTHONPATH. Its sys.path holds the server environment's site-packages,
`<model>/<version>/`, `<model>/` and the Python backend's own folder. So whoever assembles the backend folder puts this
package into it (`backends/python/engine_kit`, a copy or a symbolic link), and an engine's model.py writes:

    from __future__ import annotations   # pb_utils gets its classes only after model.py has been imported
    from engine_kit.tensors import answer_each, read_parameters, read_text, tensor

    class TritonPythonModel:
        def initialize(self, args):
            self._limit = int(read_parameters(args)["max_text_bytes"])
        def execute(self, requests):
            return answer_each(requests, self._respond)
        def _respond(self, request):                       # one request; returns its output tensors
            text = read_text(request, "TEXT")
            return [tensor("TEXT", shout(text, self._limit))]   # `shout` raises InvalidRequest for a text too long

`answer_each` turns `engine_kit.refusals.InvalidRequest` into INVALID_ARG for that request alone; its neighbours in the
batch succeed. A request with a batch axis is still one request: `read_array` gives the array with its batch axis.

Pure helpers of an engine (no Triton) lie beside its model.py; they may use `engine_kit.refusals`, which needs nothing
but numpy. Tests import them by file name, so name them after the engine (`lips_warp/1/mouth_warp.py`, not
`utils.py`): tests/model_repository/conftest.py puts every `model_repository/*/1` on the path.
"""
