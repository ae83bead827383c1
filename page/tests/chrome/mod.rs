//! A headless Chromium that opens pages from files and reports everything that it complains about. It is driven over its
//! own protocol by a few calls: crates that wrap all of that protocol take longer to build than the rest of quotree.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "for tests, each of which uses a part"
)]

use quotree_page::{model::Report, page};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tungstenite::{Message, WebSocket, client, stream::MaybeTlsStream};

/// Only one browser at a time: tests run on small machines.
static ONE: Mutex<()> = Mutex::new(());

/// A browser for one test.
pub(crate) struct Chrome {
    child: Child,
    wire: RefCell<Wire>,
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

/// How a page is shown.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) dark: bool,
    pub(crate) scripts: bool,
    pub(crate) media: &'static str,
}

pub(crate) const WIDE: Look = Look { width: 1440, dark: false, scripts: true, media: "screen" };
pub(crate) const PHONE: Look = Look { width: 390, dark: true, scripts: true, media: "screen" };

/// Calls and answers, one at a time; events that come between them are kept.
struct Wire {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    calls: u64,
    problems: Vec<String>,
}

impl Wire {
    fn call(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": params});
        if let (Some(session), Some(call)) = (session, call.as_object_mut()) {
            call.insert("sessionId".to_owned(), session.into());
        }
        self.socket.send(Message::text(call.to_string())).expect("Chromium listens");
        loop {
            let message = self.socket.read().expect("Chromium answers within a minute");
            let Message::Text(text) = message else { continue };
            let answer: Value = serde_json::from_str(&text).expect("Chromium speaks JSON");
            if answer["id"] == self.calls {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.hear(&answer);
        }
    }

    /// Keeps what no page may cause: exceptions, log entries, console output, requests for anything but the file.
    fn hear(&mut self, event: &Value) {
        let params = &event["params"];
        let problem = match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => format!("exception: {}", params["exceptionDetails"]),
            "Log.entryAdded" => format!("log: {}", params["entry"]["text"]),
            "Runtime.consoleAPICalled" => format!("console: {}", params["args"]),
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with("file:") || url.starts_with("data:") {
                    return;
                }
                format!("request: {url}")
            }
            _ => return,
        };
        self.problems.push(problem);
    }
}

/// The browser's program: `QUOTREE_BROWSER`, else one of the usual names in the path.
fn program() -> Option<PathBuf> {
    if let Some(path) = env::var_os("QUOTREE_BROWSER") {
        return Some(path.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Starts a browser. Without one the test is skipped and says so; where one is required it fails.
pub(crate) fn start(test: &str) -> Option<Chrome> {
    let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(path) = program() else {
        let required = env::var("QUOTREE_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "{test}: there is no Chromium, and QUOTREE_REQUIRE_BROWSER is 1: install the package `chromium`"
        );
        println!(
            "{test}: skipped, since there is no Chromium: install the package `chromium`, or name it in QUOTREE_BROWSER"
        );
        return None;
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("the folder for pages can be made");
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--remote-debugging-port=0",
        "--force-device-scale-factor=1",
        "--hide-scrollbars",
        "about:blank",
    ];
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut child = Command::new(path)
        .args(arguments)
        .arg(profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Chromium starts");
    // It says where it listens; the rest of what it says must be read, too, or it would block.
    let mut lines = BufReader::new(child.stderr.take().expect("it has an error output")).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned));
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let (socket, _) =
        client::connect(address.expect("Chromium says where it listens")).expect("Chromium can be reached");
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    }
    let wire = RefCell::new(Wire { socket, calls: 0, problems: Vec::new() });
    Some(Chrome { child, wire, folder, _alone: alone })
}

impl Drop for Chrome {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(self.folder.join("profile"));
    }
}

impl Chrome {
    /// Writes the page of a report and opens it, with what stands in the address after `#`.
    pub(crate) fn open(&self, report: &Report, look: Look, hash: &str) -> Open<'_> {
        let file = self.folder.join("page.html");
        fs::write(&file, page(report).expect("every report has a page")).expect("the page can be written");
        self.open_file(&file, look, hash)
    }

    /// Opens a page that is written.
    pub(crate) fn open_file(&self, file: &Path, look: Look, hash: &str) -> Open<'_> {
        let mut wire = self.wire.borrow_mut();
        wire.problems.clear();
        let target = wire.call(None, "Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = wire.call(None, "Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        drop(wire);
        let session = attached["sessionId"].as_str().expect("the page has a session").to_owned();
        let open = Open { chrome: self, target, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            open.call(&format!("{domain}.enable"), &json!({}));
        }
        open.look(look);
        open.call("Page.navigate", &json!({"url": format!("file://{}#{hash}", file.display())}));
        if look.scripts {
            open.wait_until_live();
            open.settle();
        } else {
            while open.eval("document.readyState") != "complete" || open.eval("location.protocol") != "file:" {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        open
    }
}

/// A page that is open.
pub(crate) struct Open<'a> {
    chrome: &'a Chrome,
    target: Value,
    session: String,
}

impl Open<'_> {
    fn call(&self, method: &str, params: &Value) -> Value {
        self.chrome.wire.borrow_mut().call(Some(&self.session), method, params)
    }

    fn look(&self, look: Look) {
        let height = if look.width > 600 { 1000 } else { 844 };
        let size = json!({"width": look.width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({"name": "prefers-color-scheme", "value": if look.dark { "dark" } else { "light" }});
        self.call("Emulation.setEmulatedMedia", &json!({"media": look.media, "features": [scheme]}));
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !look.scripts}));
    }

    fn evaluate(&self, expression: &str, is_promise: bool) -> Value {
        let params = json!({"expression": expression, "awaitPromise": is_promise, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until the page is live. It is asked again and again: a page that is just being opened forgets questions.
    fn wait_until_live(&self) {
        for _ in 0..3_000 {
            if self.eval("document.documentElement?.dataset.ready === 'true'") == true {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the page did not come to life: {:?}", self.problems());
    }

    /// Waits until what changed is drawn.
    pub(crate) fn settle(&self) {
        let frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 20))))";
        self.evaluate(frames, true);
    }

    /// The value of an expression.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        self.evaluate(expression, false)
    }

    /// The text of an expression.
    pub(crate) fn text(&self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_default().to_owned()
    }

    /// The text of what a selector finds first.
    pub(crate) fn text_of(&self, selector: &str) -> String {
        self.text(&format!("document.querySelector({}).innerText", json!(selector)))
    }

    /// Clicks on what a selector finds first, in its middle.
    pub(crate) fn click(&self, selector: &str) {
        let place = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{ block: 'center' }}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()",
            json!(selector)
        );
        let place = self.eval(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let mouse = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &mouse);
        }
        self.settle();
    }

    /// Presses a key.
    pub(crate) fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            "/" => (191, "/"),
            other => panic!("no such key: {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let press = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": if kind == "keyDown" { text } else { "" }});
            self.call("Input.dispatchKeyEvent", &press);
        }
        self.settle();
    }

    /// Types text.
    pub(crate) fn write(&self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
        self.settle();
    }

    /// Everything that the browser complained about, and every request but that of the file.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.chrome.wire.borrow().problems.clone()
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // After a failed assertion the wire may be in use or gone.
        if let Ok(mut wire) = self.chrome.wire.try_borrow_mut()
            && !std::thread::panicking()
        {
            wire.call(None, "Target.closeTarget", &json!({"targetId": self.target}));
        }
    }
}
