"""A page in a headless Chromium: a script is run in it, and what it finds is read back."""

import html
import json
import re
import shutil
import subprocess

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
# The answer stands in the page that is dumped. Keys are sent to whatever has the focus.
_HARNESS = """<script>
window.onerror = message => { document.title = "error: " + message; };
function key(...names) {
  for (const name of names) {
    document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
  }
}
function choose(id, value) {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event("change"));
}
const answer = (() => { %s })();
const answers = document.createElement("pre");
answers.id = "answer";
answers.textContent = JSON.stringify(answer);
document.body.append(answers);
</script>"""


def answer_of(page, script, profile):
    """What `script`, the body of a function, returns in the page.

    The browser keeps its local storage in the folder `profile`.
    """
    copy = page.with_name("with_script.html")
    text = page.read_text().replace("</body>", _HARNESS % script + "</body>")
    copy.write_text(text)
    flags = "--headless --no-sandbox --disable-gpu --window-size=1200,800".split()
    command = [CHROMIUM, *flags, f"--user-data-dir={profile}", "--dump-dom", copy.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.S)
    assert found, re.search("<title>(.*?)</title>", done.stdout)[1]
    return json.loads(html.unescape(found[1]))
