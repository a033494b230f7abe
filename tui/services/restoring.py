"""What a restore keeps of the state that it replaces: a backup's state, brought forward to the present.

A backup is the base: its settings, conversations and figures come back. Everything that came after it is
done again on top, so that nothing is lost and USED never goes back:

- Ledger rows that the backup lacks are posted again, oldest first, each once, to every total they belong to.
- Purchases that the backup lacks are made again, each once.
- Holds are those of the present. Where the present can't be read whole, the backup's are kept too, but for
  attempts that a row shows to have ended; recovery charges the rest when their leases end.
- A conversation keeps its present entry in the index, except that a deleted one comes back. One whose entry
  is lost gets a new one from its messages, and its owner from the ledger.
- Users keep their present role, tier and keys, which say what is in the keyring, and what was granted to them
  for a day; their other settings are the backup's. Users and tiers made since stay.
- Who may sign in with which public key is as it is at present: nobody who was shut out comes back in. Where
  the present can't be read whole, the backup's keys are kept too.
- Alerts that were raised stay raised, and the trail of changes keeps every line of both.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from tui.core.chat import Conversation, Message, Role
from tui.core.periods import Period
from tui.core.ports import State, Table
from tui.core.quota import Attempt, DailyUsage, KeySource, LedgerRow, Purchase, PurchaseKind, Rollup
from tui.core.remains import Remains
from tui.core.settings import LOCAL_USER, UserRole, provider_name
from tui.services import ledger, tables
from tui.services.branches import active_branch
from tui.services.entries import UNTITLED, title_of
from tui.storage.restore import ANEW, Restored

R = TypeVar("R")
Total = TypeVar("Total", DailyUsage, Rollup)


def bring_forward(state: State, remains: Remains) -> None:
    """Do again, on a backup's state, everything that came after it; within one transaction.

    Args:
        state: The backup's, in a transaction.
        remains: What came after it.
    """
    if (latest := tables.meta(remains.state).latest_day) is not None:
        tables.enter_day(state, latest)
    _keep_users(state, remains.state)
    _keep_public_keys(state, remains)
    _keep_purchases(state, remains.state)
    open_attempts = _open_attempts(state, remains)
    _enter_days(state, [*remains.rows, *open_attempts])
    _post(state, remains)
    _hold(state, open_attempts)
    _in_order(state.daily_usage)
    _in_order(state.usage_rollup)
    _keep_conversations(state, remains)
    _keep_alerts(state, remains)
    _add_missing(
        state.audit, remains.state.audit, lambda entry: (entry.at, entry.by, entry.action, entry.detail)
    )


def _keep_alerts(state: State, remains: Remains) -> None:
    if remains.whole:  # those that can't matter any more are forgotten there
        for doc_id, _ in list(state.alerts):
            state.alerts.remove(doc_id)
    _add_missing(state.alerts, remains.state.alerts, lambda alert: (alert.scope, alert.level, alert.epoch))


def _add_missing(table: Table[R], others: Table[R], key: Callable[[R], object]) -> None:
    """Add the records of another table that this one lacks; the same one as often as it is there."""
    there = Counter(key(record) for _, record in table)
    for _, record in others:
        if there[key(record)] > 0:
            there[key(record)] -= 1
        else:
            table.insert(record)


def _keep_users(state: State, present: State) -> None:
    users = {user.user: (doc_id, user) for doc_id, user in state.user_settings}
    for _, now in present.user_settings:
        if now.user not in users:
            state.user_settings.insert(now)
            continue
        doc_id, then = users[now.user]
        kept = replace(then, role=now.role, tier=now.tier, api_keys=now.api_keys)
        quotas = tables.token_quotas(state) if now.role is UserRole.ADMIN else None
        kept = replace(kept, granted=now.granted, granted_on=now.granted_on, token_quotas=quotas)
        state.user_settings.replace(doc_id, kept)
    for _, host in present.host_settings:
        before = tables.host_settings(state)
        tables.change_host(state, replace(before, tiers={**host.tiers, **before.tiers}))


def _keep_public_keys(state: State, remains: Remains) -> None:
    if remains.whole:
        for doc_id, _ in list(state.public_keys):
            state.public_keys.remove(doc_id)
    known = {key.fingerprint for _, key in state.public_keys}
    for _, key in remains.state.public_keys:
        if key.fingerprint not in known:
            state.public_keys.insert(key)


def _keep_purchases(state: State, present: State) -> None:
    known = Counter(map(_purchase_key, (purchase for _, purchase in state.purchases)))
    for _, purchase in present.purchases:
        if known[_purchase_key(purchase)] > 0:
            known[_purchase_key(purchase)] -= 1
            continue
        pool = tables.pool(state, purchase.provider)
        before = 0 if purchase.kind is PurchaseKind.SET else pool.purchased or 0
        purchased = before + purchase.amount
        tables.change_pool(state, replace(pool, purchased=purchased, epoch=pool.epoch + 1))
        state.purchases.insert(replace(purchase, purchased=purchased))


def _purchase_key(purchase: Purchase) -> object:
    return purchase.provider, purchase.kind, purchase.amount, purchase.at, purchase.by, purchase.note


def _open_attempts(state: State, remains: Remains) -> list[Attempt]:
    found = {} if remains.whole else {attempt.id: attempt for _, attempt in state.attempts}
    found.update((attempt.id, attempt) for _, attempt in remains.state.attempts)
    ended = {row.attempt_id for row in remains.rows}
    return [attempt for attempt in found.values() if attempt.id not in ended]


def _enter_days(state: State, entries: Iterable[LedgerRow | Attempt]) -> None:
    """Make the records of days in the order of the days, which is how they are looked up."""
    charged = [entry for entry in entries if entry.key_source is KeySource.DEFAULT]
    for entry in sorted(charged, key=lambda entry: entry.date):
        tables.add_to_day(state, entry.user, entry.provider, entry.date)


def _post(state: State, remains: Remains) -> None:
    """Post the rows again; the last row of an attempt decides whether all its tokens are exact."""
    charged: dict[str, list[LedgerRow]] = {}
    wanted = {row.attempt_id for row in remains.rows}
    for row in (*remains.earlier, *(row for _, row in state.ledger)):
        if row.attempt_id in wanted:
            charged.setdefault(row.attempt_id, []).append(row)
    for row in remains.rows:
        rows = charged.setdefault(row.attempt_id, [])
        before = _estimated(rows)
        rows.append(row)
        ledger.post(state, row, held=0, estimated=_estimated(rows) - before)


def _estimated(rows: Sequence[LedgerRow]) -> int:
    """Tokens of an attempt that are not exact."""
    return 0 if not rows or rows[-1].provenance.exact else sum(row.tokens for row in rows)


def _in_order(table: Table[Total]) -> None:
    """Put the records of days in the order of the days, which is how they are looked up."""
    records = [record for _, record in table]
    days = [record.date for record in records if record.period is Period.DAY]
    if days == sorted(days):
        return
    for doc_id, _ in list(table):
        table.remove(doc_id)
    for record in sorted(records, key=lambda record: (record.period is Period.DAY, record.date)):
        table.insert(record)


def _hold(state: State, attempts: Sequence[Attempt]) -> None:
    """Make these the open attempts, and every HELD their sum."""
    for doc_id, _ in list(state.attempts):
        state.attempts.remove(doc_id)
    for attempt in attempts:
        state.attempts.insert(attempt)
    for doc_id, day in list(state.daily_usage):
        if day.held:
            state.daily_usage.replace(doc_id, replace(day, held=0))
    for _, pool in list(state.quotas):
        tables.change_pool(state, replace(pool, held=0))
    for attempt in attempts:
        if attempt.key_source is KeySource.DEFAULT:
            pool = tables.pool(state, attempt.provider)
            tables.change_pool(state, replace(pool, held=pool.held + attempt.held))
            tables.add_to_day(state, attempt.user, attempt.provider, attempt.date, held=attempt.held)


def _keep_conversations(state: State, remains: Remains) -> None:
    known = {entry.id: (doc_id, entry) for doc_id, entry in state.conversations}
    for _, now in remains.state.conversations:
        if now.id not in known:
            known[now.id] = (state.conversations.insert(now), now)
            continue
        doc_id, then = known[now.id]
        deleted_at = now.deleted_at and then.deleted_at
        known[now.id] = (doc_id, replace(now, deleted_at=deleted_at))
        state.conversations.replace(*known[now.id])
    for conversation_id, messages in remains.messages.items():
        if conversation_id in known:
            doc_id, entry = known[conversation_id]
            state.conversations.replace(doc_id, _counted(entry, messages))
        elif messages:
            owner = _owner(state, conversation_id)
            state.conversations.insert(entry_of(conversation_id, owner, messages))


def _counted(entry: Conversation, messages: Sequence[Message]) -> Conversation:
    """The entry of a conversation whose messages were merged or are lost."""
    branch = active_branch(messages, entry.head_id, entry.updated_at)
    head = branch[-1].id if branch else messages[-1].id if messages else None
    return replace(entry, head_id=head, message_count=len(messages))


def _owner(state: State, conversation_id: str) -> str:
    rows = (row.user for _, row in state.ledger if row.conversation_id == conversation_id)
    return next(rows, LOCAL_USER)


def entry_of(conversation_id: str, user: str, messages: Sequence[Message]) -> Conversation:
    """The index entry that a conversation's messages tell: its title, dates, model and count.

    Args:
        conversation_id: The conversation.
        user: Whose it is.
        messages: All of them, oldest first, at least one.
    """
    prompts = (message.text for message in messages if message.role is Role.USER)
    replies = [message for message in messages if message.role is Role.ASSISTANT and message.provider]
    return Conversation(
        id=conversation_id,
        user=user,
        title=title_of(next(prompts, "")) or UNTITLED,
        created_at=messages[0].created_at,
        updated_at=max(message.created_at for message in messages),
        provider=replies[-1].provider if replies else None,
        model=replies[-1].model if replies else None,
        head_id=messages[-1].id,
        message_count=len(messages),
    )


def restored_sentences(restored: Restored) -> list[str]:
    """What a restore did, or would do, in words.

    Args:
        restored: The account of it.
    """
    if not restored.changed and restored.name == ANEW:
        return ["Everything can be read: there is no need to begin anew."]
    if not restored.changed:
        return [f"Everything in {restored.name} is there: there is nothing to go back to."]
    done = bool(restored.kept)
    sentences = [_outcome(restored, done=done)]
    if restored.damaged:
        sentences.append(_damage(restored, done=done))
    for provider, tokens in restored.unproved:
        sentences.append(
            f"{tokens:,} tokens counted as used at {provider_name(provider)} have no ledger row that can be "
            f"read, and {'were' if done else 'would'} not {'' if done else 'be '}counted again."
        )
    if done:
        sentences.append(f"What was there is kept as {restored.kept}.")
    return sentences


def _damage(restored: Restored, *, done: bool) -> str:
    files = _listed(*restored.damaged)
    least = f" ({_count(restored.unreadable, 'record')} at least)" if restored.unreadable else ""
    if done:
        return f"Damaged: {files}. What could be read was kept, the rest{least} is only in the copy."
    return f"Damaged: {files}. What can be read would be kept, the rest{least} only in a copy."


def _outcome(restored: Restored, *, done: bool) -> str:
    back = _listed(
        "its settings",
        _some(restored.returned_conversations, "conversation"),
        _some(restored.returned_messages, "message"),
    )
    charges = _some(restored.rows, "charge")
    since = _listed(
        charges and f"{charges} ({restored.tokens:,} tokens)",
        _some(restored.kept_conversations, "conversation"),
    )
    if restored.name == ANEW:
        kept = f"the settings and {since}" if since else "the settings"
        return f"{'Began anew, and kept' if done else 'Beginning anew would keep'} {kept} that can be read."
    if done:
        kept = f"; kept {since} made since" if since else ""
        return f"Restored {restored.name}: brought back {back}{kept}."
    kept = f", and keep {since} made since" if since else ""
    return f"Going back to {restored.name} would bring back {back}{kept}."


def _listed(*parts: str) -> str:
    *first, last = [part for part in parts if part] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _some(number: int, what: str) -> str:
    return _count(number, what) if number else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
