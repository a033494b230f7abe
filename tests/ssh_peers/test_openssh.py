"""`ctroom serve` as a program, with OpenSSH's client: what its users see, and what they can't do."""

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import pytest

from tests.crash.accounts import read_accounts
from tests.program import COMMAND, Program
from tests.pty.harness import Terminal
from tests.ssh_peers.openssh import Ssh, needs_client, new_key
from tests.support.ssh import LIMITS, serving, until

pytestmark = [pytest.mark.pty, needs_client]

RESTORED = b"\x1b[?1049l\x1b[?25h\x1b[?1004l"


@dataclass
class Serving:
    """The running program."""

    process: "subprocess.Popen[str]"
    ssh: Ssh
    home: Path

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serve(run_ctroom: Program, *options: str, **env: str) -> Iterator[Serving]:
    """`ctroom serve` on a free port, with a user `sam`."""
    key = new_key(run_ctroom.directory / "sam")
    added = run_ctroom("users", "add", "sam", "--key-file", f"{key}.pub", "--tier", "basic")
    assert added.returncode == 0, added.stderr
    log = (run_ctroom.directory / "log").open("w+", encoding="utf-8")
    process = started(run_ctroom, log, *options, env=env)
    with process, log:
        try:
            port = int(wait_for_line(run_ctroom.directory / "log", "port=").split()[0])
            ssh = Ssh(key, port, run_ctroom.directory / "known_hosts")
            yield Serving(process, ssh, run_ctroom.directory / "ctroom")
        finally:
            process.kill()


def started(
    run_ctroom: Program, log: TextIO, *options: str, env: Mapping[str, str]
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        env=run_ctroom.environment(env),
        cwd=run_ctroom.directory,
        stderr=log,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def wait_for_line(path: Path, word: str) -> str:
    """What follows a word in a file, once it is there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        _, found, after = path.read_text("utf-8").partition(word)
        if found and "\n" in after:
            return after
        time.sleep(0.02)
    raise AssertionError(path.read_text("utf-8"))


def open_app(served: Serving, run_ctroom: Program, *before: str, term: str = "xterm-256color") -> Terminal:
    return Terminal(
        served.ssh.command(before=before), env=run_ctroom.environment({"TERM": term}), cols=100, rows=30
    )


def test_the_app_is_what_a_shell_is_elsewhere(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served, open_app(served, run_ctroom) as terminal:
        terminal.wait_for("Ask anything")
        terminal.wait_for("sam · basic")
        terminal.paste("two\nlines")
        terminal.wait_for("lines")
        terminal.resize(120, 40)
        terminal.wait_for("Conversations")
        terminal.key("ctrl+j")
        terminal.type("and a third")
        terminal.key("enter")
        terminal.wait_for("Demo reply")
        terminal.key("ctrl+q")
        assert terminal.wait_exit() == 0
        assert RESTORED in terminal.raw


def test_figures_and_turns_need_no_terminal(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        shown = served.ssh.run("usage")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "Demo" in shown.stdout
        figures = json.loads(served.ssh.run("usage", "--json").stdout)
        assert (figures["user"], figures["tier"]) == ("sam", "basic")
        asked = served.ssh.run("ask", "--provider", "demo", "--json", "-", piped="What is this?\n")
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout)["status"] == "complete"
        streamed = served.ssh.run("ask", "'Look at this.'", piped="some text")
        assert "Demo reply" in streamed.stdout
        wrong = served.ssh.run("uname", "-a")
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "no command 'uname'" in wrong.stderr
        bare = served.ssh.run()
        assert (bare.returncode, bare.stdout) == (1, "")
        assert "ssh -t" in bare.stderr


def test_a_command_on_a_terminal_has_its_line_ends(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        command = served.ssh.command("usage", before=["-tt"])
        with Terminal(command, env=run_ctroom.environment(), cols=100, rows=30) as terminal:
            assert terminal.wait_exit() == 0
            assert b"\r\n" in terminal.raw
            assert "Demo" in terminal.text


@pytest.mark.parametrize(
    "method", ["password", "keyboard-interactive", "hostbased", "gssapi-with-mic", "none"]
)
def test_only_keys_open_the_door(run_ctroom: Program, method: str) -> None:
    with serve(run_ctroom, "--signup", "open") as served:
        ran = served.ssh.run("usage", before=["-o", f"PreferredAuthentications={method}"])
        assert ran.returncode == 255
        assert "Permission denied (publickey)" in ran.stderr


def test_a_foreign_name_is_no_other_identity_and_a_foreign_key_none(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        for name in ("local", "root", "kim", "-sam", "sam kim"):
            ran = replace(served.ssh, user=name).run("usage", "--json")
            if ran.returncode == 0:
                assert json.loads(ran.stdout)["user"] == "sam"
            else:
                assert "invalid" in ran.stderr, "OpenSSH itself refuses some names"
        stranger = replace(served.ssh, key=new_key(run_ctroom.directory / "eve"), user="sam")
        assert stranger.run("usage").returncode == 255
    assert 'why="unknown key"' in (run_ctroom.directory / "log").read_text()


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_other_types_sign_in_and_none_with_sha_1(run_ctroom: Program, kind: str) -> None:
    key = new_key(run_ctroom.directory / "kim", kind)
    added = run_ctroom("users", "add", "kim", "--key-file", f"{key}.pub")
    assert added.returncode == 0, added.stderr
    with serve(run_ctroom) as served:
        kim = replace(served.ssh, key=key)
        ran = kim.run("usage", "--json", before=["-v"])
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["user"] == "kim"
        [offered] = re.findall(r"server-sig-algs=<(.*)>", ran.stderr)
        assert {"ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"} <= {*offered.split(",")}
        assert not {"ssh-rsa", "ssh-dss"} & {*offered.split(",")}
        old = kim.run("usage", before=["-o", "PubkeyAcceptedAlgorithms=ssh-rsa"])
        assert old.returncode == 255


def test_an_agent_with_many_keys_is_stopped_after_a_few(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        offered = [
            part for number in range(9) for part in ("-i", str(new_key(run_ctroom.directory / f"k{number}")))
        ]
        stranger = replace(served.ssh, key=new_key(run_ctroom.directory / "eve"))
        ran = stranger.run("usage", before=offered)
        assert ran.returncode == 255
        assert (
            "Too many keys" in ran.stderr or "Permission denied" in ran.stderr or "disconnect" in ran.stderr
        )
    assert (run_ctroom.directory / "log").read_text().count('why="unknown key"') <= 6


def test_nothing_is_forwarded(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served, socket.create_server(("127.0.0.1", 0)) as secret:
        port = secret.getsockname()[1]
        through = served.ssh.run(before=["-W", f"127.0.0.1:{port}"])
        assert through.returncode == 255
        assert "prohibited" in through.stderr or "failed" in through.stderr
        for option in (
            ["-R", f"0:127.0.0.1:{port}"],
            ["-R", "/tmp/ctroom-test-forward:127.0.0.1:1"],
            ["-w", "any"],
        ):
            ran = served.ssh.run(before=["-N", "-o", "ExitOnForwardFailure=yes", *option])
            assert ran.returncode == 255, option
        for option in (["-A"], ["-X"], ["-Y"]):
            assert served.ssh.run("usage", before=option).returncode == 0, "the session goes on without it"
        secret.settimeout(0.2)
        with pytest.raises(TimeoutError):
            secret.accept()


@pytest.mark.skipif(shutil.which("scp") is None or shutil.which("sftp") is None, reason="no scp or no sftp")
def test_no_file_goes_in_or_out(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        mine, taken = run_ctroom.directory / "mine", run_ctroom.directory / "taken"
        mine.write_text("x")
        options = [*served.ssh.options(), "-P", str(served.ssh.port)]
        for command in (
            ["scp", *options, str(mine), "sam@127.0.0.1:/tmp/ctroom-test-taken"],
            ["scp", "-O", *options, str(mine), "sam@127.0.0.1:/tmp/ctroom-test-taken"],
            ["scp", "-O", *options, "sam@127.0.0.1:/etc/passwd", str(taken)],
            ["scp", *options, "sam@127.0.0.1:/etc/passwd", str(taken)],
            ["sftp", "-b", "-", *options, "sam@127.0.0.1"],
        ):
            ran = subprocess.run(
                command, input="ls\n", capture_output=True, text=True, timeout=30, check=False
            )
            assert ran.returncode != 0, command
        assert not taken.exists()
        assert not Path("/tmp/ctroom-test-taken").exists()


def test_sigterm_gives_terminals_back_and_ends_in_order(run_ctroom: Program, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(30)
        with serve(run_ctroom, NOTIFY_SOCKET=str(tmp_path / "notify")) as served:
            assert supervisor.recv(100) == b"READY=1"
            with open_app(served, run_ctroom) as terminal:
                terminal.wait_for("Ask anything")
                terminal.type("/long 3000")
                terminal.key("enter")
                terminal.wait_for("Every reply")
                began = time.monotonic()
                assert served.stop() == 0
                assert time.monotonic() - began < 8
                assert supervisor.recv(100) == b"STOPPING=1"
                terminal.wait_exit()
                assert RESTORED in terminal.raw
                assert b"shutting down" in terminal.raw
            read_accounts(served.home).assert_settled()


def test_a_client_that_is_killed_is_noticed_and_its_reply_is_kept(run_ctroom: Program) -> None:
    with serve(run_ctroom) as served:
        with open_app(served, run_ctroom) as terminal:
            terminal.wait_for("Ask anything")
            terminal.type("/long 3000")
            terminal.key("enter")
            terminal.wait_for("Every reply")
            terminal.signal(signal.SIGKILL)
        wait_for_line(run_ctroom.directory / "log", "INFO end ")
        assert read_accounts(served.home).rows
        read_accounts(served.home).assert_settled()
        assert served.ssh.run("usage").returncode == 0


def test_it_says_what_is_missing_and_what_is_wrong(run_ctroom: Program) -> None:
    log = run_ctroom.directory / "log"
    with log.open("w") as errors, started(run_ctroom, errors, env={}) as process:
        wait_for_line(log, "ctroom users add")
        process.terminate()
        assert process.wait(20) == 0
    key = run_ctroom.directory / "ctroom" / "ssh_host_ed25519_key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    refused = run_ctroom("serve", "--port", "0")
    assert refused.returncode == 1
    assert "can be read or changed by others" in refused.stderr
    key.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = run_ctroom("serve", "--port", str(taken.getsockname()[1]))
    assert busy.returncode == 1
    assert "choose another with --port" in busy.stderr
    assert "Traceback" not in busy.stderr + refused.stderr


async def test_a_client_that_goes_silent_is_let_go(ctroom_home: Path, tmp_path: Path) -> None:
    limits = replace(LIMITS, keepalive_seconds=0.2)
    async with serving(ctroom_home, limits=limits) as served:
        key = new_key(tmp_path / "sam")
        await served.services.users.add("sam", key.with_suffix(".pub").read_text())
        ssh = Ssh(key, served.port, tmp_path / "known_hosts")
        process = await asyncio.create_subprocess_exec(
            *ssh.command(before=["-tt"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until(lambda: len(served.host.registry) == 1)
        process.send_signal(signal.SIGSTOP)
        try:
            await until(lambda: not served.host.connections.total)
            await served.settled()
        finally:
            process.kill()
            await process.wait()
