"""A real Chromium that tests drive through its chromedriver: no display, a new profile, no way out of this machine."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_SLOW = 60  # seconds for one command: a machine may be busy with other tests


class Browser:
    """A browser with one window; everything a page said or asked for is kept until it is asked about."""

    def __init__(self, driver: Chrome) -> None:
        """Keep the driver, for what is not worth a method."""
        self.driver = driver

    def open(self, address: str) -> None:
        """Load a page anew, even one that differs from the last one only behind `#`."""
        self.driver.get("about:blank")
        self.said()
        self.asked_for()
        self.driver.get(address)

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401  # whatever the script returns
        """Run a script in the page, which `return`s its result."""
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call]

    def tell(self, command: str, **parameters: object) -> dict[str, Any]:
        """Send a command of the DevTools protocol."""
        found: dict[str, Any] = self.driver.execute_cdp_cmd(command, parameters)
        return found

    def size(self, width: int, height: int = 900) -> None:
        """Make the window so many CSS pixels large."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def media(self, kind: str = "", *, dark: bool = False) -> None:
        """Show the page on a medium (`print`), to somebody who prefers dark or light."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.tell("Emulation.setEmulatedMedia", media=kind, features=features)

    def said(self) -> list[str]:
        """What the console shows since the last call: errors, warnings, and violations of the page's own policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def asked_for(self) -> list[str]:
        """The addresses that were requested since the last call, the blank page's left out."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        found = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [address for address in found if address != "about:blank"]

    def keys(self, *names: str) -> None:
        """Press keys of the keyboard one after the other, wherever the focus is: `TAB`, `ENTER` or a text."""
        from selenium.webdriver import ActionChains, Keys  # noqa: PLC0415  # as below

        chain = ActionChains(self.driver)
        for name in names:
            chain.send_keys(getattr(Keys, name, name))
        chain.perform()


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start a browser whose profile is a new folder; the test is skipped where there is none."""
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no Chromium with its chromedriver: on Debian, apt-get install chromium chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService  # noqa: PLC0415  # 0.2 s, where there is one

    options = ChromeOptions()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.add_argument("--no-sandbox")  # it refuses to run as root with one
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with mock.patch.dict(os.environ, {"no_proxy": "localhost,127.0.0.1"}):
        found = Chrome(options, ChromeService(driver))
    found.set_script_timeout(_SLOW)
    found.set_page_load_timeout(_SLOW)
    try:
        yield Browser(found)
    finally:
        found.quit()
