"""A web server for a folder on this machine, with a password in its address and files that break off."""

import contextlib
import socket
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

SECRET = "hunter2"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; of a file with `cut` in its name the first half."""

    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        content = source.read()
        cut = "cut" in self.path
        outputfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            outputfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


@contextlib.contextmanager
def serve_folder(folder):
    """Gives the address of a folder, with a name and a password in it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://me:{SECRET}@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
