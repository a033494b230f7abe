"""`ctroom` in a session of OpenSSH's own server, and in a shell with job control."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.crash.accounts import read_accounts
from tests.program import COMMAND, Program
from tests.pty.harness import Terminal
from tests.ssh_peers.openssh import Ssh, needs_client, new_key

pytestmark = [pytest.mark.pty]

SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)
needs_server = pytest.mark.skipif(SSHD is None, reason="OpenSSH's server is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="sshd lets only root give out terminals here")
GONE_SECONDS = 8.0
"""Five, and three for a machine that is busy."""
COOKED = b"\x1b[?1049l"


@contextmanager
def sshd(run_ctroom: Program) -> Iterator[Ssh]:
    """OpenSSH's server on a free port, with keys and settings of its own."""
    assert SSHD is not None
    with suppress(OSError):
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it separates its privileges
    place = run_ctroom.directory
    host, key = new_key(place / "host_key"), new_key(place / "mine")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    settings = f"""
        ListenAddress 127.0.0.1
        Port {port}
        HostKey {host}
        PidFile none
        AuthorizedKeysFile {key}.pub
        StrictModes no
        UsePAM no
        PermitRootLogin yes
        PasswordAuthentication no
        KbdInteractiveAuthentication no
    """
    (place / "sshd_config").write_text("\n".join(map(str.strip, settings.splitlines())))
    command = [SSHD, "-D", "-e", "-f", str(place / "sshd_config")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            ssh = Ssh(key, port, place / "known_hosts", "root")
            deadline = time.monotonic() + 20
            while (tried := ssh.run("true")).returncode:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"sshd does not run here: {tried.stderr.strip()}")
                time.sleep(0.1)
            yield ssh
        finally:
            process.terminate()


def there(run_ctroom: Program, *arguments: str) -> str:
    """The command line that runs Ctroom on the other side, in the test's sandbox."""
    environment = run_ctroom.environment()
    kept = {name: environment[name] for name in environment if name not in ("TERM", "COLORTERM")}
    assigned = [f"{name}={value}" for name, value in kept.items() if name.isidentifier()]
    return shlex.join(["env", *assigned, *COMMAND, *arguments])


def pids(run_ctroom: Program) -> list[int]:
    """The processes of Ctroom that run in the test's sandbox."""
    wanted = f"CTROOM_HOME={run_ctroom.directory / 'ctroom'}".encode()
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if place.name.isdigit() and wanted in (place / "environ").read_bytes().split(b"\0"):
                command = (place / "cmdline").read_bytes().split(b"\0")
                found += [int(place.name)] if b"tui" in command else []
    return found


def begin_reply(terminal: Terminal) -> None:
    terminal.wait_for("Ask anything")
    terminal.type("/long 3000")
    terminal.key("enter")
    terminal.wait_for("Every reply")


def wait_ended(run_ctroom: Program) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while pids(run_ctroom):
        assert time.monotonic() < deadline, "it still runs"
        time.sleep(0.05)


@needs_client
@needs_server
@needs_root
def test_the_app_runs_in_a_session_and_ends_with_it(run_ctroom: Program) -> None:
    with sshd(run_ctroom) as ssh:
        command = ssh.command(there(run_ctroom), before=["-tt"])
        with Terminal(command, env=run_ctroom.environment(), cols=80, rows=24) as terminal:
            terminal.wait_for("Ask anything")
            terminal.paste("two\nlines")
            terminal.wait_for("lines")
            terminal.resize(120, 40)
            terminal.wait_for("Conversations")
            terminal.key("enter")
            terminal.wait_for("Demo reply")
            terminal.key("ctrl+q")
            assert terminal.wait_exit() == 0
            assert COOKED in terminal.raw
        shown = ssh.run(there(run_ctroom, "usage", "--json"))
        assert (shown.returncode, shown.stderr) == (0, "")
        assert json.loads(shown.stdout)["user"] == "local"


@needs_client
@needs_server
@needs_root
@pytest.mark.parametrize("how", ["killed client", "closed terminal", "killed server process"])
def test_a_dropped_connection_ends_it_and_keeps_what_came(run_ctroom: Program, how: str) -> None:
    with sshd(run_ctroom) as ssh:
        command = ssh.command(there(run_ctroom), before=["-tt"])
        with Terminal(command, env=run_ctroom.environment(), cols=100, rows=30) as terminal:
            begin_reply(terminal)
            [pid] = pids(run_ctroom)
            if how == "killed client":
                terminal.signal(signal.SIGKILL)
            elif how == "closed terminal":
                terminal.hang_up()
            else:
                os.kill(server_of(pid), signal.SIGKILL)
            wait_ended(run_ctroom)
        accounts = read_accounts(run_ctroom.directory / "ctroom")
        accounts.assert_settled()
        assert accounts.rows


def server_of(pid: int) -> int:
    """The process of sshd that holds the session of a process."""
    while True:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
            return pid


MULTIPLEXERS = {
    "tmux": (
        "tmux -u -S {place}/tmux -f /dev/null new -s chat {command}",
        "tmux -u -S {place}/tmux attach -t chat",
    ),
    "screen": (
        "SCREENDIR={place}/screens screen -U -c /dev/null -S chat sh -c {command}",
        "SCREENDIR={place}/screens screen -U -c /dev/null -d -r chat",
    ),
}
"""How each begins a session and takes it up again, with none of the machine's own settings."""
ENDED = {
    "tmux": ["tmux", "-S", "{place}/tmux", "kill-server"],
    "screen": ["env", "SCREENDIR={place}/screens", "screen", "-S", "chat", "-X", "quit"],
}


@needs_client
@needs_server
@needs_root
@pytest.mark.parametrize("multiplexer", MULTIPLEXERS)
def test_it_outlives_the_connection_in_a_multiplexer(run_ctroom: Program, multiplexer: str) -> None:
    if shutil.which(multiplexer) is None:
        pytest.skip(f"{multiplexer} is not installed")
    place = run_ctroom.directory
    (place / "screens").mkdir(mode=0o700)
    new, again = (
        words.format(place=shlex.quote(str(place)), command=shlex.quote(there(run_ctroom)))
        for words in MULTIPLEXERS[multiplexer]
    )
    try:
        with sshd(run_ctroom) as ssh:
            begun = ssh.command(new, before=["-tt"])
            with Terminal(begun, env=run_ctroom.environment(), cols=100, rows=30) as terminal:
                terminal.wait_for("Ask anything")
                terminal.type("still here")
                terminal.wait_for("still here")
                terminal.signal(signal.SIGKILL)
            taken_up = ssh.command(again, before=["-tt"])
            with Terminal(taken_up, env=run_ctroom.environment(), cols=90, rows=28) as terminal:
                terminal.wait_for("still here")
                terminal.key("enter")
                terminal.wait_for("Demo reply")
                terminal.key("f4")
                terminal.wait_for("╭─ 2 Token quotas")
                terminal.key("ctrl+q")
                terminal.wait_exit()
    finally:
        end = [word.format(place=place) for word in ENDED[multiplexer]]
        subprocess.run(end, check=False, capture_output=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_it_can_be_stopped_and_brought_back(run_ctroom: Program) -> None:
    """What Ctrl+Z does in a shell: SIGTSTP. In the app itself that key takes back what was typed."""
    environment = run_ctroom.environment({"PS1": "shell> ", "PROMPT_COMMAND": ""})
    with Terminal(["bash", "--norc", "-i"], env=environment, cols=100, rows=30) as terminal:
        terminal.wait_for("shell>")
        terminal.type(shlex.join(COMMAND))
        terminal.key("enter")
        terminal.wait_for("Ask anything")
        terminal.type("kept while it is stopped")
        terminal.wait_for("kept while")
        [pid] = pids(run_ctroom)
        os.kill(pid, signal.SIGTSTP)
        terminal.wait_for("Stopped")
        assert COOKED in terminal.raw
        terminal.type("echo $((6*7))")
        terminal.key("enter")
        terminal.wait_for("42")
        terminal.resize(90, 28)
        terminal.type("fg")
        terminal.key("enter")
        terminal.wait_for("kept while")
        terminal.wait_for("F1 help")
        terminal.type(" and after")
        terminal.wait_for("and after")
        terminal.key("ctrl+q")
        terminal.wait_for("shell>")
        assert pids(run_ctroom) == []
        terminal.type("exit")
        terminal.key("enter")
        assert terminal.wait_exit() == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_stopped_one_ends_when_its_terminal_goes(run_ctroom: Program) -> None:
    environment = run_ctroom.environment({"PS1": "shell> "})
    with Terminal(["bash", "--norc", "-i"], env=environment, cols=100, rows=30) as terminal:
        terminal.wait_for("shell>")
        terminal.type(shlex.join(COMMAND))
        terminal.key("enter")
        terminal.wait_for("Ask anything")
        [pid] = pids(run_ctroom)
        os.kill(pid, signal.SIGTSTP)
        terminal.wait_for("Stopped")
        terminal.hang_up()
        wait_ended(run_ctroom)
