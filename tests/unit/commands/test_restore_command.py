"""`ctroom restore`, from outside."""

import re

from tests.program import Program


def test_a_damaged_file_is_explained_and_a_backup_restores_it(run_ctroom: Program) -> None:
    assert "no backups yet" in run_ctroom("restore").stdout
    assert run_ctroom("quota", "set", "openai", "1M").returncode == 0
    assert run_ctroom("quota", "add", "openai", "500k").returncode == 0
    state = run_ctroom.directory / "ctroom" / "ctroom.json"
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])

    refused = run_ctroom("usage")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr
    assert "ctroom restore" in refused.stderr
    assert state.read_bytes() == whole[: len(whole) // 2]

    listed = run_ctroom("restore").stdout
    name = re.match(r"\d{4}-\d\d-\d\d", listed)
    assert name is not None, listed
    restored = run_ctroom("restore", name[0])
    assert restored.returncode == 0, restored.stderr
    assert "is kept as before-restore-" in restored.stdout
    assert run_ctroom("usage").returncode == 0

    missing = run_ctroom("restore", "2001-01-01")
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr
