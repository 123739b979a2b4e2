"""A model that fails to load, for client tests."""


class TritonPythonModel:
    def initialize(self, args):
        raise RuntimeError("the weights are not here")
