"""What the demo says. It knows only Ctroom, and says so."""

import re

LABEL = "*Demo reply, made offline: no model was asked and no tokens were paid for.*"
PARAGRAPH = (
    "Ctroom shows what remains before it shows anything else. Every reply is measured as it streams, "
    "held against what was purchased, and settled once when it ends. Nothing is counted twice, and a reply "
    "that is stopped still counts for what had come.\n\n"
)
"""Filler for long replies."""

_WELCOME = """\
# Welcome to Ctroom

Ctroom is a chat client that always shows how many prepaid tokens remain. The line at the bottom, above the
keys, is the **usage footer**: used, purchased, remaining, and a bar.

Try one of these:

- **How do I add my own key?**
- **What do the numbers mean?**
- **Which keys can I press?**
- **Show me some code**

To see how failures look, send `/fail rate-limit`, `/fail network` or `/fail malformed`; `/slow` and
`/long 2000` show a slow and a long reply.
"""

_KEYS = """\
# Your own API keys

1. Open **Settings**.
2. Choose **Use my own keys**.
3. Paste the key. It is tested before it is kept, and shown only by its last four characters.

| you use | who pays | limit |
|---|---|---|
| default keys | the host | tokens per day, by tier |
| your own keys | you | none |

Keys are kept in the system keyring where there is one, else for this session only. They are never written to
Ctroom's files.
"""

_NUMBERS = """\
# What the numbers mean

The rule is **remaining = purchased - used**, for each provider.

| word | meaning |
|---|---|
| purchased | what the host bought, as entered in Settings |
| used | what every reply on the default keys has cost |
| remaining | the difference; below 20% Ctroom warns, below 10% it insists |
| today | your share of the day, which returns at midnight |

A figure with a `~` holds an estimate, because a provider did not say what a reply cost. The demo counts its
own tokens exactly, so its figures never carry one.
"""

_PRESS = """\
# Keys

| key | what it does |
|---|---|
| Enter | send |
| Ctrl+J | a new line |
| Esc | stop the reply, and keep what has come |
| F1 | help, everywhere |

The command palette reaches everything else.
"""

_CODE = """\
# Some code

The rule of Ctroom in a few lines of Python:

```python
def remaining(purchased: int, used: int) -> str:
    left = purchased - used
    percent = 100 * max(left, 0) / purchased
    return f"{left:,} remaining ({percent:.1f}%)"


print(remaining(purchased=1_000_000, used=45_230))
```

It prints `954,770 remaining (95.5%)`. The same figures come from the command line:

```sh
ctroom usage --json
```
"""

_UNKNOWN = """\
I am the **demo**: I answer offline, and I only know Ctroom. To talk with a model:

1. Open **Settings** and add a key for OpenAI or Google, or an endpoint of your own.
2. Choose its model for this conversation.

Until then, ask me about *keys*, *numbers*, *shortcuts* or *code*.
"""

_TOPICS = (
    (r"\b(code|python|program|script|function)\b", _CODE),
    (r"\b(shortcut|press|keyboard|binding|hotkey)", _PRESS),
    (r"\b(api key|own key|key|keys|openai|google|gemini|endpoint)\b", _KEYS),
    (r"\b(token|number|quota|remain|purchas|used|usage|limit|footer|cost|price|alert)", _NUMBERS),
    (r"\b(hi|hello|hey|help|welcome|start|ctroom|what can you|who are you)\b", _WELCOME),
)


def answer(prompt: str, turns: int) -> str:
    """A labelled Markdown reply to a prompt.

    Args:
        prompt: What the user wrote last.
        turns: How many prompts the conversation has; the first that fits no topic is answered with a welcome.
    """
    text = prompt.lower()
    fallback = _WELCOME if turns <= 1 else _UNKNOWN
    body = next((body for pattern, body in _TOPICS if re.search(pattern, text)), fallback)
    return f"{LABEL}\n\n{body}"
