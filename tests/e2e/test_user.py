# SPDX-License-Identifier: Apache-2.0
"""weir user: users, passwords and keys from the command line."""


def test_users_are_added_listed_and_removed(db):
    assert db.run("init").returncode == 0
    assert db.run("user", "add", "alice", input="s3cret\n").returncode == 0
    assert db.run("user", "add", "alice", input="s3cret\n").returncode == 1
    assert "alice" in db.run("user", "list").stdout
    assert db.run("user", "password", "alice", input="other\n").returncode == 0
    assert db.run("user", "password", "bob", input="other\n").returncode == 1
    added = db.run("user", "key", "add", "alice", "--label", "ci", "--expires", "30d", "--format", "csv")
    prefix, secret = added.stdout.splitlines()[1].split(",")[1].split(".")
    listed = db.run("user", "key", "list").stdout
    assert prefix in listed and "ci" in listed and secret not in listed
    assert db.run("user", "key", "remove", prefix).returncode == 0
    assert db.run("user", "remove", "alice").returncode == 0
    assert "alice" not in db.run("user", "list").stdout


def test_what_is_wrong_is_usage_and_no_password_is_an_error(db, tmp_path):
    assert db.run("init").returncode == 0
    for words in [["user"], ["user", "add"], ["user", "nonsense"], ["user", "key", "add"], ["user", "list", "x"]]:
        assert db.run(*words).returncode == 2, words
    assert db.run("user", "add", "alice", input="").returncode == 1
    assert db.run("user", "add", "alice", input="x" * 2000 + "\n").returncode == 1
    assert db.run("user", "list").stdout.count("alice") == 0
