"""Finds OpenAI-compatible servers on this machine's loopback address."""

import asyncio

from tui.core.frozen import frozen
from tui.core.text import sanitize_line

KNOWN_PORTS = (("Ollama", 11434), ("LM Studio", 1234), ("llama.cpp", 8080), ("vLLM", 8000))
"""Servers and the ports that they listen on unless told otherwise (each project's own documentation)."""
LIMIT = 0.8
"""Seconds that one server may take: loopback answers in milliseconds or not at all."""


@frozen
class LocalServer:
    """A server that answered on loopback."""

    name: str
    base_url: str
    models: tuple[str, ...]


async def find_local_servers(ports: tuple[tuple[str, int], ...] = KNOWN_PORTS) -> tuple[LocalServer, ...]:
    """Ask every known port for its list of models, all at once; those that don't answer are left out."""
    import httpx

    async with httpx.AsyncClient(timeout=LIMIT, trust_env=False, follow_redirects=False) as client:

        async def ask(name: str, port: int) -> LocalServer | None:
            base_url = f"http://127.0.0.1:{port}/v1"
            try:
                answer = await client.get(f"{base_url}/models")
                return LocalServer(name, base_url, _model_ids(answer.json())) if answer.is_success else None
            except (httpx.HTTPError, ValueError):
                return None

        found = await asyncio.gather(*(ask(name, port) for name, port in ports))
    return tuple(server for server in found if server is not None)


def _model_ids(answer: object) -> tuple[str, ...]:
    models = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(models, list):
        return ()
    return tuple(
        sanitize_line(str(model["id"])) for model in models if isinstance(model, dict) and "id" in model
    )
