"""The inspector in a headless Chromium: where to click, what is read, what must never happen."""

import os
import re
from contextlib import contextmanager

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

kPatience_s = 20

# Counted from the first script on: what the policy stopped, what threw, what asked for attention.
kWatch = """
window.seen = {violations: [], errors: [], alerts: 0};
addEventListener('securitypolicyviolation',
                 (e) => seen.violations.push(e.violatedDirective + ' ' + e.blockedURI));
addEventListener('error', (e) => seen.errors.push(e.message));
addEventListener('unhandledrejection', (e) => seen.errors.push(String(e.reason)));
for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => { seen.alerts += 1; };
"""


class Page:
    def __init__(self, url):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ["KVASIR_BROWSER"]
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # Containers run tests as root, where the browser's own sandbox cannot start.
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--window-size=1280,860"):
            options.add_argument(word)
        self.url = url
        self._wrongs = []
        service = Service(os.environ["KVASIR_DRIVER"])
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": kWatch})

    # ---- going and looking
    def open(self, address=""):
        """Loads the page anew at `address`, as "#/ask"."""
        self._collect()
        self.driver.get("about:blank")
        self.driver.get(self.url + "/" + address)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector, text=None):
        """The first visible element that has `text`, as soon as there is one."""
        def found(_):
            for element in self.all(selector):
                if element.is_displayed() and (text is None or text in element.text):
                    return element
            return False
        return self.wait(found, f"nothing visible is {selector!r} with {text!r}")

    def gone(self, selector):
        self.wait(lambda _: not any(e.is_displayed() for e in self.all(selector)),
                  f"{selector!r} stays")

    def wait(self, condition, what):
        """Until `condition` is true; an element may be replaced while it is looked at."""
        return WebDriverWait(self.driver, kPatience_s, poll_frequency=0.05, ignored_exceptions=[
            StaleElementReferenceException]).until(condition, what)

    def click(self, selector, text=None):
        self.one(selector, text).click()

    def write(self, selector, text):
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def press_with_control(self, key):
        chain = webdriver.ActionChains(self.driver)
        chain.key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    # ---- how it is shown
    @contextmanager
    def shown_as(self, width=1280, height=860, dark=False):
        """A viewport and a colour scheme, until the block ends."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def shoot(self, name):
        self.driver.save_screenshot(os.path.join(os.environ["KVASIR_SCREENSHOTS"], name + ".png"))

    # ---- what must never happen
    def _collect(self):
        seen = self.run("return window.seen") or {"violations": [], "errors": [], "alerts": 0}
        self._wrongs += seen["violations"] + seen["errors"] + ["alert"] * seen["alerts"]
        for entry in self.driver.get_log("browser"):
            # The browser itself notes each answer of 400 and more; the journeys cause some.
            if not re.search(r"status of (401|404|412)", entry["message"]):
                self._wrongs.append(entry["message"])

    def take_wrongs(self):
        """Violations of the policy, errors and alerts since the last time."""
        self._collect()
        wrongs, self._wrongs = self._wrongs, []
        return wrongs

    def close(self):
        self.driver.quit()


__all__ = ["Keys", "Page"]
