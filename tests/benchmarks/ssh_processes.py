"""What `ctroom serve` is held against: an SSH server that starts the same app in a process for each session.

    python -m tests.benchmarks.ssh_processes HOST_KEY

It listens on a free port of loopback, which it prints, takes any key, and hands on the bytes of a
pseudo-terminal.
"""

import asyncio
import fcntl
import os
import struct
import sys
import termios

import asyncssh

from tests.program import COMMAND


class AnyKey(asyncssh.SSHServer):
    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True


async def session(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    """The app in a pseudo-terminal, and its bytes."""
    master, slave = os.openpty()
    width, height, *_ = process.term_size
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    child = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()

    def ready() -> None:
        try:
            process.stdout.write(os.read(master, 65_536))
        except BlockingIOError:
            return
        except OSError:
            loop.remove_reader(master)

    loop.add_reader(master, ready)
    try:
        while data := await process.stdin.read(65_536):
            os.write(master, data)
    except (asyncssh.Error, OSError):
        pass
    finally:
        loop.remove_reader(master)
        os.close(master)  # the kernel hangs up
        await child.wait()
        process.exit(0)


async def main() -> None:
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=AnyKey,
        server_host_keys=[sys.argv[1]],
        process_factory=session,
        encoding=None,
        line_editor=False,
        compression_algs=["none"],
    )
    sys.stdout.write(f"{server.get_port()}\n")
    sys.stdout.flush()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
