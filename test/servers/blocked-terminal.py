"""A terminal that nobody reads: python3 blocked-terminal.py COMMAND ARG...

Runs the command on a pseudo-terminal of 80 x 24. Reads until it has drawn something, prints `ready`, and reads no more.
Each line on stdin is typed there; `fill` types keys until the terminal takes no more and prints `full BYTES`; `read`
reads again until the command has ended, and prints `exit CODE`, the text before it in between.
"""

import array
import fcntl
import os
import pty
import struct
import sys
import termios
import time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))


def say(text):
    print(text, flush=True)


def waiting_bytes():
    count = array.array("i", [0])
    fcntl.ioctl(terminal, termios.FIONREAD, count)
    return count[0]


def fill():
    """Each key changes the whole screen. Full is when the last hundred of them changed nothing."""
    before = -1
    while waiting_bytes() != before:
        before = waiting_bytes()
        for _ in range(50):
            os.write(terminal, b"6")
            time.sleep(0.005)
            os.write(terminal, b"?")
            time.sleep(0.005)
    say(f"full {before}")


def read_to_end():
    text = b""
    try:
        while chunk := os.read(terminal, 65536):
            text += chunk
    except OSError:
        pass  # EIO: the command has closed it
    sys.stdout.buffer.write(text)
    say(f"\nexit {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


seen = b""
while b"CPM" not in seen:
    seen += os.read(terminal, 65536)
say("ready")
for line in sys.stdin:
    if line.strip() == "fill":
        fill()
    elif line.strip() == "read":
        read_to_end()
        break
