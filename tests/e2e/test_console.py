"""The console in a real browser."""

from __future__ import annotations

import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select

from app.command.processes import Service
from app.core.records import Job
from tests.conftest import missing
from tests.e2e.conftest import job_in_state, served_version, submit
from tests.keyed import make_key
from tests.published import World, random_vectors

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
]


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        missing("Chromium")
    return str(found)


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDKIN_CORS_ORIGINS", "*")


def page(chromium: str, folder: Path, url: str, milliseconds: int = 4000) -> str:
    """The document after its scripts have run for so long, by a clock that stands while an answer is waited for."""
    options = [*OPTIONS, f"--virtual-time-budget={milliseconds}", f"--user-data-dir={folder / 'profile'}"]
    command = [chromium, *options, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_console_shows_models_and_answers_questions(
    chromium: str, service: Service, http: httpx.Client, verses: bytes, tmp_path: Path
) -> None:
    assert http.put("/corpora/bible", content=verses).status_code == 201
    job_in_state(http, submit(http, epochs=1)["id"], "succeeded")
    served_version(http, 1)
    nearest = http.get("/neighbors", params={"word": "king"}).json()["neighbors"][0]["word"]

    shown = page(chromium, tmp_path, f"{service.url}/console?model=bible&question=king")
    assert "bible → version 1" in shown
    assert "</progress> 100 %" in shown
    assert '<span class="tag">latest</span>' in shown
    assert "bible, version 1" in shown
    assert f">{nearest}</button>" in shown

    assert "Did you mean: king" in page(chromium, tmp_path, f"{service.url}/console?question=kingg")
    answer = http.get("/analogy", params={"a": "king", "b": "man", "c": "woman"}).json()["answers"][0]["word"]
    for written in ("king - man + woman", "king-man+woman", "king + woman - man", "king man woman"):
        shown = page(chromium, tmp_path, f"{service.url}/console?question={quote(written)}")
        assert f">{answer}</button>" in shown


@pytest.mark.usefixtures("open_to_all")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_from_elsewhere_follows_a_job_to_its_end(
    chromium: str, service: Service, http: httpx.Client, tmp_path: Path
) -> None:
    """The browser asks again by itself when the stream has ended, is told that this was all, and stops."""
    assert http.put("/corpora/bible", content=b"a b c\n").status_code == 201
    job_id = submit(http)["id"]
    http.post(f"/jobs/{job_id}/cancel")
    state = job_in_state(http, job_id, "cancelled", "failed")["state"]
    (tmp_path / "page.html").write_text(f"""<p></p><script>
        const events = new EventSource("{service.url}/jobs/{job_id}/events")
        const note = (what) => document.querySelector("p").append(what + ";")
        for (const name of ["{state}", "end"])
            events.addEventListener(name, (event) => note(event.type + " " + JSON.parse(event.data).id))
        events.onerror = () => note(events.readyState)
        </script>""")
    shown = page(chromium, tmp_path, (tmp_path / "page.html").as_uri())
    connecting, closed = 0, 2
    assert f"<p>{state} {job_id};end {job_id};{connecting};{closed};</p>" in shown


class _Beside(BaseHTTPRequestHandler):
    """A page of ours and the service behind one origin, so that the page may press the console's buttons."""

    service = ""
    ours = ""
    asking = httpx.Client(timeout=60)

    def _answer(self) -> None:
        if self.path == "/test":
            self._send(200, {"Content-Type": "text/html"}, self.ours.encode())
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = ("If-Match", "Content-Type", "Authorization")
        kept = {name: self.headers[name] for name in names if name in self.headers}
        told = self.asking.request(self.command, self.service + self.path, content=body, headers=kept)
        headers = {name: told.headers[name] for name in ("Content-Type", "ETag") if name in told.headers}
        self._send(told.status_code, headers, told.content)

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = _answer  # noqa: N815 (what the library calls)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


PRESS = """<iframe src="/console?model=m&question=king"></iframe><script>
const inside = () => document.querySelector("iframe").contentDocument
const button = () => [...inside().querySelectorAll("button")].find((each) => each.textContent === "Make latest")
const isAnswered = () => inside().body?.innerText.includes("m, version 2")
const press = () => button() && isAnswered() ? (button().click(), show()) : setTimeout(press, 100)
const isMoved = () => inside().body.innerText.includes("1 latest") && !isAnswered()
const show = () => isMoved() ? document.body.append(inside().body.innerText) : setTimeout(show, 100)
press()
</script>"""


def pressed(chromium: str, folder: Path, url: str, script: str) -> str:
    """What the page of ours shows when its script has run: it may use the console of this service."""
    _Beside.service, _Beside.ours = url.rstrip("/"), script
    with ThreadingHTTPServer(("127.0.0.1", 0), _Beside) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        shown = page(chromium, folder, f"http://127.0.0.1:{server.server_port}/test", 20_000)
        server.shutdown()
    return shown.partition("</script>")[2].split("</body>")[0]


FILL = """<iframe src="/console"></iframe><script>
const inside = () => document.querySelector("iframe").contentDocument
const form = (name) => inside().getElementById(name + "-form")
const told = (name) => name + ": " + inside().getElementById(name + "-problem").textContent
const isReady = () => form("derive")?.elements.version.value && form("evaluate").elements.type.length > 1
function give(name, values, content) {
  for (const [member, value] of Object.entries(values)) form(name).elements[member].value = value
  if (content) {
    const chosen = new DataTransfer()
    chosen.items.add(new File([content], "some " + name + ".txt"))
    form(name).elements.file.files = chosen.files
  }
  form(name).requestSubmit()
}
const isBusy = (name) => form(name).querySelector("button").disabled
const ended = async (name) => { while (isBusy(name)) await new Promise((go) => setTimeout(go, 50)) }
async function fill() {
  if (!isReady()) return setTimeout(fill, 100)
  give("import", { model: "new", format: "glove" }, "king 1 2\\nqueen 1 3\\n")
  give("derive", { version: "1", into: "better", steps: '[{"step": "reduce", "dim": 2}]' })
  give("evaluate", { type: "words" }, "king\\n")
  await Promise.all(["import", "derive", "evaluate"].map(ended))
  give("derive", { steps: "[{]" })
  await ended("derive")
  const lines = [told("derive")]
  give("derive", { steps: '[{"step": "reduce", "dim": 9}]' })
  await ended("derive")
  document.body.append([...lines, told("derive")].join("\\n"))
}
fill()
</script>"""


def test_the_forms_submit_what_the_api_takes_and_show_its_errors(chromium: str, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.publish("m", ["king", "queen", "man", "woman"], random_vectors(4, 6))
    with world.served() as client:
        for _ in range(3):  # a browser beside much other work has ended before the page had
            lines = pressed(chromium, tmp_path, str(client.base_url), FILL).splitlines()
            if lines:
                break
        jobs = {job["kind"]: job for job in client.get("/jobs").json()["jobs"]}
        files = {file["name"]: file["n_bytes"] for file in client.get("/files").json()["files"]}
    with world.database.reading() as session:
        payloads = {job.kind: job.payload for job in session.scalars(select(Job).where(Job.state == "queued"))}
    world.close()
    assert sorted(jobs) == ["derive", "evaluate", "import", "train"], lines
    assert files == {"some-import.txt": 19, "some-evaluate.txt": 5}
    assert (jobs["import"]["model"], jobs["import"]["file"]) == ("new", "some-import.txt")
    assert payloads["import"]["format"] == "glove"
    assert (jobs["derive"]["model"], payloads["derive"]["steps"]) == ("better", [{"step": "reduce", "dim": 2}])
    assert payloads["derive"]["parent"]["version"] == 1
    assert payloads["evaluate"]["sets"][0]["asked"] == {
        "file": "some-evaluate.txt",
        "type": "words",
        "max_words": 30_000,
        "k": 10,
        "oov": "reject",
    }
    assert lines[0].startswith("derive: Steps are no JSON: ")
    assert lines[1] == "derive: steps.0.dim: there are 6 dimensions, not 9."


def test_make_latest_moves_the_alias_and_the_page_shows_it(chromium: str, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    for seed in (0, 1):
        world.publish("m", ["king", "queen", "man", "woman"], random_vectors(4, 6, seed))
    with world.served() as client:
        assert client.get("/models/m/aliases/latest").json()["version"] == 2
        text = pressed(chromium, tmp_path, str(client.base_url), PRESS)
        assert client.get("/models/m/aliases/latest").json()["version"] == 1
    world.close()
    rows = [line.split("\t") for line in text.splitlines() if line.startswith("m\t")]
    assert [(row[1], row[-1]) for row in rows] == [("2", "Make latest"), ("1 latest", "")], text
    assert "m, version" not in text, "an answer of the version that was latest stays"


GIVE_KEY = """<iframe src="/console"></iframe><script>
const inside = () => document.querySelector("iframe").contentDocument
const form = () => inside().getElementById("key-form")
function give() {
  if (!form() || form().hidden) return setTimeout(give, 100)
  form().elements.key.value = "KEY"
  form().requestSubmit()
  show()
}
const isShown = () => form().hidden && inside().body.innerText.includes("1 loaded")
const show = () => isShown() ? document.body.append(inside().body.innerText) : setTimeout(show, 100)
give()
</script>"""


def test_the_page_asks_for_a_key_and_sends_it(chromium: str, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.publish("m", ["king", "queen", "man", "woman"], random_vectors(4, 6))
    script = GIVE_KEY.replace("KEY", make_key(world.database, "read"))
    with world.served() as client:
        assert client.get("/models").status_code == 401
        text = pressed(chromium, tmp_path, str(client.base_url), script)
    world.close()
    assert "m\t1 latest\t" in text, text
