"""A TCP proxy that breaks on demand: cuts its connections, freezes them, or refuses new ones."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class TcpProxy:
    """Listens on a free loopback port (`port`) and forwards to 127.0.0.1:`target_port`."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def connections(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._sockets) // 2

    def cut(self, *, refuse: bool = False) -> None:
        """Close all connections at once, and with `refuse` every later one too."""
        self._refusing = refuse
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for end in sockets:
            _shut(end)

    def heal(self) -> None:
        """Let connections be made and bytes flow again."""
        self._refusing = False
        self._flowing.set()

    def freeze(self) -> None:
        """Keep connections open but forward nothing, like a stopped process at the other end."""
        self._flowing.clear()

    def close(self) -> None:
        self.heal()
        _shut(self._listener)
        self.cut(refuse=True)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target_port))
            with self._lock:
                self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                pump = threading.Thread(target=self._pump, args=(source, sink), daemon=True)
                self._threads.append(pump)
                pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        with self._lock:
            self._sockets = [end for end in self._sockets if end not in (source, sink)]
        _shut(source)
        _shut(sink)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextlib.contextmanager
def proxy_to(port: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
