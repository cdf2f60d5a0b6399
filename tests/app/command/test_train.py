"""``wordkin train`` checks before it sends, tells what it took, and lets the job go on."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.app.command.conftest import Ran, Wordkin, typed

TEXT = "the king and the queen\n" * 50
NAMES = (".env", "a#b.txt", "my corpus (1).txt", "c++.txt", "100%.txt", "X.TXT.GZ", "한국어 위키.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT)
    rows = (json.dumps({"id": i, "title": f"blue lamp {i}", "brand": "acme"}) for i in range(50))
    (folder / "products.jsonl").write_text("\n".join(rows))
    return folder


def newest_job(service: httpx.Client) -> dict[str, Any]:
    job: dict[str, Any] = service.get("/jobs").json()["jobs"][0]
    return job


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_works(ask: Wordkin, service: httpx.Client, folder: Path, name: str) -> None:
    content = TEXT.encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".GZ") else content)
    done = ask("train", name, "--set", "min_count=1", "--detach", cwd=folder)
    assert done.returncode == 0, done.stderr
    job = newest_job(service)
    assert done.stdout.startswith(f"job {job['id']}; follow it: wordkin jobs follow {job['id']}")
    assert f"reading {name} as plain lines\n" in done.stderr
    assert (f"becomes the corpus and model {job['model']};" in done.stderr) == (name != "X.TXT.GZ")
    assert service.get(f"/corpora/{job['corpus']}").json()["n_bytes"] == len(content)


def test_options_are_those_of_a_job(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    options = ["--tokenizer", "whitespace", "--case", "keep", "--normalization", "none", "--preset", "small-corpus"]
    told = ask(
        "train",
        "a.txt",
        *options,
        "--set",
        "dim=8",
        "--alias",
        "staging",
        "--evidence",
        "--detach",
        "--json",
        cwd=folder,
    )
    job = json.loads(told.stdout)
    assert job == newest_job(service)
    pieces = '{"kind": "character-ngrams", "n": 2}'
    told = ask("train", "a.txt", "--tokenizer", pieces, "--phrases", "--detach", "--json", cwd=folder)
    text = json.loads(told.stdout)["text"]
    assert (text["tokenizer"]["kind"], text["tokenizer"]["n"], text["phrases"]["passes"]) == ("character-ngrams", 2, 2)
    broken = ask("train", "a.txt", "--tokenizer", "{kind", cwd=folder)
    assert (broken.returncode, "--tokenizer {kind: this is no JSON" in broken.stderr) == (2, True)
    chosen = {"tokenizer": "whitespace", "case": "keep", "normalization": "none", "format": {"kind": "plain"}}
    assert chosen.items() <= job["text"].items()
    assert {"preset": "small-corpus", "dim": 8, "epochs": 25}.items() <= job["hyperparameters"].items()
    assert (job["publish"], job["evidence"]) == ({"alias": "staging"}, True)
    refused = ask("train", "a.txt", "--swap", "he", cwd=folder)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (2, "error: --swap he: write WORD=WORD.")
    refused = ask("train", "a.txt", "--swap", "he=she", "--evidence", cwd=folder)
    assert (refused.returncode, "cannot be had together with swap_pairs" in refused.stderr) == (1, True)


def test_rows_are_guessed_told_and_asked_for(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    refused = ask("train", "products.jsonl", "--detach", cwd=folder)
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: products.jsonl is JSON Lines; say with --field where the text is: one of title, brand.\n",
    )
    done = ask("train", "products.jsonl", "--field", "title", "--detach", cwd=folder)
    assert "reading products.jsonl as JSON Lines; field title\n" in done.stderr
    assert newest_job(service)["text"]["format"] == {"kind": "jsonl", "field": "title", "max_bad_rows": 0.2}
    (folder / "one.csv").write_text("id,text\n1,blue lamp\n")
    assert ask("train", "one.csv", "--set", "min_count=1", "--detach", cwd=folder).returncode == 0
    assert newest_job(service)["text"]["format"]["column"] == "text"
    assert ask("train", "products.jsonl", "--format", "plain", "--detach", cwd=folder).returncode == 0
    assert newest_job(service)["text"]["format"] == {"kind": "plain"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--algorithm", "lsa"], "--algorithm lsa: there are word2vec, glove, fasttext."),
        (["--set", "dim"], "--set: 'dim' is not NAME=VALUE"),
        (["--set", "dim=1"], "--set: dim=1: Input should be greater than or equal to 2"),
        (["--tokenizer", "Kiwi!"], "--tokenizer Kiwi!: There is no tokenizer 'Kiwi!'; did you mean 'kiwi'?"),
        (["--format", "pdf"], "--format pdf: Input tag 'pdf'"),
        (["--encoding", "cp99"], "--encoding cp99: there is no such encoding"),
        (["--model", "a b"], "--model 'a b': a name has letters of any script, digits"),
        (["--field", "title"], "--field title: a.txt looks like plain lines"),
    ],
)
def test_what_is_typed_wrongly_is_said_before_anything_is_sent(folder: Path, options: list[str], told: str) -> None:
    done: Ran = typed("train", "a.txt", *options, url="http://127.0.0.1:9", cwd=folder)  # where nobody answers
    assert done.returncode == 2
    assert f"error: {told}" in done.stderr


def test_an_interrupt_ends_the_showing_and_says_that_the_job_goes_on(service: httpx.Client, folder: Path) -> None:
    code = "import sys; from app.command.cli import main; sys.argv[0] = 'wordkin'; main()"
    command = [sys.executable, "-c", code, "train", "a.txt"]
    url = str(service.base_url)
    environment = os.environ | {"WORDKIN_URL": url}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stderr
        told = next(line for line in process.stderr if line.startswith("job "))
        job_id = told.split()[1]
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert f"The job goes on. Follow it: wordkin jobs follow {job_id} --url {url.rstrip('/')}\n" in rest
    assert f"wordkin jobs cancel {job_id}" in rest
    assert service.get(f"/jobs/{job_id}").json()["state"] == "queued"


def test_parquet_is_known_and_its_columns_are_told(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    rows = [{"id": i, "title": f"blue lamp {i}", "maker": "acme"} for i in range(50)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "products.parquet")
    unsaid = ask("train", "products.parquet", "--detach", cwd=folder)
    assert (unsaid.returncode, "where the text is: one of title, maker" in unsaid.stderr) == (2, True), unsaid.stderr
    done = ask("train", "products.parquet", "--field", "title", "--detach", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "reading products.parquet as Parquet; column title" in done.stderr
    assert newest_job(service)["text"]["format"] == {"kind": "parquet", "column": "title", "max_bad_rows": 0.2}


def test_it_goes_on_from_a_version(ask: Wordkin, service: httpx.Client, folder: Path) -> None:
    given = ["--set", "dim=6", "--detach", "--start", "first@1", "--freeze", "king", "--freeze", "man", "--anchor", "2"]
    done = ask("train", "a.txt", *given, "--continuable", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert newest_job(service)["start"] == {"model": "first", "version": 1, "freeze": 2, "anchor_strength": 2}
    assert newest_job(service)["hyperparameters"]["learning_rate"] == 0.0125
    alone = ask("train", "a.txt", "--freeze", "parent", cwd=folder)
    assert (alone.returncode, "need --start" in alone.stderr) == (2, True)
