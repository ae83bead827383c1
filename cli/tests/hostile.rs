//! Hostile input: files that are no files, outputs that are inputs, full disks, names that control a terminal. Each is refused or shown
//! as what it is, and nothing is damaged.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::scratch;
use std::{
    fs,
    io::Write,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::{Command, Output, Stdio},
};

const SMALL: &str = r#"Scenario(
    name: "small",
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["a"]),
    workloads: [Job(name: "j", namespace: "a", request: { "cpu": "1" }, runtime: "1h")],
    expect: [Final(Evictions(exactly: 0))],
)
"#;

fn quotree(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    command.current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    quotree(folder).args(args).output().unwrap()
}

/// The exit code, and all that was printed.
fn told(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = run(folder, args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_no_file_is_refused_by_every_verb_without_waiting() {
    let folder = scratch("hostile-kinds");
    assert!(Command::new("mkfifo").arg(folder.join("pipe.ron")).status().unwrap().success());
    let _socket = UnixListener::bind(folder.join("socket.ron")).unwrap();
    fs::create_dir(folder.join("folder.ron")).unwrap();
    fs::write(folder.join("small.ron"), SMALL).unwrap();
    let kinds =
        [("pipe.ron", "a pipe"), ("socket.ron", "a socket"), ("/dev/zero", "a device"), ("folder.ron", "a folder")];
    for (path, what) in kinds {
        for args in [
            &["run", path][..],
            &["validate", path],
            &["explain", path, "j"],
            &["sweep", path, "--set", "policy.order=Fifo"],
            &["replay", path],
            &["import", "swf", path],
            &["compare", "small.ron", "--edits", path],
            &["check", "small.ron", "--digests", path],
        ] {
            let (code, text) = told(&folder, args);
            assert_eq!(code, 2, "{args:?}: {text}");
            assert!(text.contains(what) || what == "a folder", "{args:?}: {text}");
        }
    }
    let (code, text) = told(&folder, &["check", "."]);
    assert_eq!(code, 2);
    assert!(text.contains("1 passed, 0 failed, 2 invalid"), "{text}");
}

#[test]
fn a_dash_is_stdin() {
    let folder = scratch("hostile-stdin");
    let piped = |args: &[&str]| {
        let mut child = quotree(&folder)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(SMALL.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    for args in
        [&["run", "-"][..], &["check", "-"], &["explain", "-", "j-1"], &["run", "-", "--seeds", "3"], &["fmt", "-"]]
    {
        let (code, text) = piped(args);
        assert_eq!(code, 0, "{args:?}");
        assert!(text.contains("small") || text.contains("j-1"), "{args:?}: {text}");
    }
    assert_eq!(piped(&["fmt", "-"]).1, SMALL);
    assert!(piped(&["fmt", "-", "--to", "yaml"]).1.contains("name: small"));
    assert!(names(&folder).is_empty(), "no file `-` is written");
}

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays() {
    let folder = scratch("hostile-same");
    fs::write(folder.join("a.ron"), SMALL).unwrap();
    symlink("a.ron", folder.join("soft")).unwrap();
    fs::hard_link(folder.join("a.ron"), folder.join("hard")).unwrap();
    fs::create_dir(folder.join("sub")).unwrap();
    symlink("../sub/../a.ron", folder.join("sub/far")).unwrap();
    for out in ["a.ron", "./a.ron", "soft", "hard", "sub/far", "sub/../a.ron"] {
        for args in [
            &["check", "a.ron", "--junit", out][..],
            &["check", "a.ron", "--markdown", out],
            &["run", "a.ron", "--record", out],
            &["run", "a.ron", "--prometheus", out],
            &["diff", "a.ron", "--set", "seed=2", "--html", out],
            &["import", "swf", "a.ron", "--out", out],
        ] {
            let (code, text) = told(&folder, args);
            assert_eq!(code, 2, "{args:?}: {text}");
            assert!(text.contains("input") || args[0] == "import", "{args:?}: {text}");
            assert_eq!(fs::read_to_string(folder.join("a.ron")).unwrap(), SMALL, "{args:?}");
        }
    }
    let (code, text) = told(&folder, &["check", "a.ron", "--junit", "x", "--markdown", "sub/../x"]);
    assert!(code == 2 && text.contains("two outputs would go to the same file"), "{text}");
    assert!(!folder.join("x").exists());
}

#[test]
fn devices_links_and_permissions_are_respected() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch("hostile-outputs");
    fs::write(folder.join("a.ron"), SMALL).unwrap();
    let (code, text) = told(&folder, &["check", "a.ron", "--junit", "/dev/null"]);
    assert_eq!(code, 0, "{text}");
    let junit = run(&folder, &["check", "a.ron", "--junit", "/dev/stdout"]).stdout;
    assert!(String::from_utf8(junit).unwrap().contains("<testsuites"));
    fs::create_dir(folder.join("real")).unwrap();
    fs::write(folder.join("real/claims.xml"), "old").unwrap();
    fs::set_permissions(folder.join("real/claims.xml"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("real/claims.xml", folder.join("claims.xml")).unwrap();
    assert_eq!(told(&folder, &["check", "a.ron", "--junit", "claims.xml"]).0, 0);
    assert!(folder.join("claims.xml").is_symlink(), "the link stays");
    assert!(fs::read_to_string(folder.join("real/claims.xml")).unwrap().contains("<testsuites"));
    assert_eq!(fs::metadata(folder.join("real/claims.xml")).unwrap().permissions().mode() & 0o777, 0o600);
    symlink("nowhere", folder.join("dangling")).unwrap();
    for out in ["dangling", "real"] {
        let (code, text) = told(&folder, &["check", "a.ron", "--junit", out]);
        assert!(code == 2 && text.contains("cannot write"), "{text}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_files_whole() {
    let folder = scratch("hostile-full");
    fs::write(folder.join("a.ron"), SMALL.replace("count: 1", "")).unwrap();
    assert_eq!(told(&folder, &["run", "a.ron", "--out", "out"]).0, 0);
    let read = || {
        names(&folder.join("out"))
            .into_iter()
            .map(|name| fs::read(folder.join("out").join(name)).ok())
            .collect::<Vec<_>>()
    };
    let before = read();
    // A limit of the size of files stands for a full disk: writing beyond it fails.
    // Whether or not its signal is ignored, it does not end the command before that has cleaned up.
    for ignored in ["", "trap '' XFSZ; "] {
        let limited = format!("{ignored}ulimit -f 16; exec \"$0\" run a.ron --seed 5 --out out");
        let output = Command::new("bash")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_quotree")])
            .current_dir(&folder)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{ignored:?}: {} {said}", output.status);
        assert!(said.contains("cannot write") && said.contains("File too large"), "{ignored:?}: {said}");
        let page = |files: &[Option<Vec<u8>>]| files.iter().flatten().map(Vec::len).max();
        assert_eq!(page(&read()), page(&before), "the page, which was too large, is the old one");
        for part in ["out", "out/tables"] {
            assert!(names(&folder.join(part)).iter().all(|name| !name.ends_with(".part")), "{ignored:?}");
        }
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = quotree(&folder).args(["run", "a.ron"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "a full disk is no internal error");
}

#[test]
fn ctrl_c_leaves_the_old_files_whole_and_no_other() {
    let folder = scratch("hostile-interrupt");
    fs::create_dir(folder.join("out")).unwrap();
    fs::write(folder.join("out/trace.jsonl"), "old\n").unwrap();
    let endless = SMALL
        .replace("runtime: \"1h\"", "arrivals: Every(\"10s\"), runtime: \"1s\"")
        .replace("name: \"small\",", "name: \"small\", world: World(until: \"1000d\"),");
    fs::write(folder.join("a.ron"), endless).unwrap();
    for signals in [1, 2] {
        let mut child = quotree(&folder)
            .args(["run", "a.ron", "--out", "out"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while names(&folder.join("out")).len() < 2 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..signals {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(names(&folder.join("out")), ["trace.jsonl"]);
        assert_eq!(fs::read_to_string(folder.join("out/trace.jsonl")).unwrap(), "old\n");
    }
}

#[test]
fn two_writers_leave_one_whole_file() {
    let folder = scratch("hostile-writers");
    fs::write(folder.join("a.ron"), SMALL).unwrap();
    fs::write(folder.join("b.ron"), SMALL.replace("small", "other")).unwrap();
    for _ in 0..8 {
        let start = |file: &str| {
            quotree(&folder).args(["check", file, "--junit", "out.xml"]).stdout(Stdio::null()).spawn().unwrap()
        };
        let (mut a, mut b) = (start("a.ron"), start("b.ron"));
        assert!(a.wait().unwrap().success() && b.wait().unwrap().success());
        let xml = fs::read_to_string(folder.join("out.xml")).unwrap();
        assert!(xml.starts_with("<?xml") && xml.ends_with("</testsuites>\n"), "{xml}");
        assert_ne!(xml.contains("\"small\""), xml.contains("\"other\""), "{xml}");
    }
    assert_eq!(names(&folder), ["a.ron", "b.ron", "out.xml"]);
}

#[test]
fn files_outside_are_read_only_if_allowed() {
    let folder = scratch("hostile-outside");
    for part in ["mine/sub", "theirs"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    fs::write(folder.join("theirs/secret.ron"), SMALL).unwrap();
    fs::write(folder.join("mine/beside.ron"), SMALL).unwrap();
    symlink("../theirs/secret.ron", folder.join("mine/link.ron")).unwrap();
    let of = |name: &str, base: &str| {
        fs::write(folder.join("mine").join(name), format!("Scenario(extends: {base:?}, name: \"n\")\n")).unwrap();
    };
    of("sub/up.ron", "../beside.ron");
    of("out.ron", "../theirs/secret.ron");
    of("linked.ron", "link.ron");
    of("absolute.ron", folder.join("theirs/secret.ron").to_str().unwrap());
    let mine = folder.join("mine");
    assert_eq!(told(&mine, &["check", "sub/up.ron"]).0, 0, "below the working directory");
    let (code, text) = told(&mine.join("sub"), &["check", "up.ron"]);
    assert!(code == 2 && text.contains("--allow-outside"), "{text}");
    for name in ["out.ron", "linked.ron", "absolute.ron"] {
        let real = fs::canonicalize(folder.join("theirs/secret.ron")).unwrap();
        for args in [&["run", name][..], &["check", name], &["run", name, "--seeds", "2"], &["explain", name, "j-1"]] {
            let (code, text) = told(&mine, args);
            assert_eq!(code, 2, "{args:?}");
            assert!(text.contains("--allow-outside") && text.contains(real.to_str().unwrap()), "{text}");
            assert_eq!(told(&mine, &[args, &["--allow-outside"]].concat()).0, 0, "{args:?}");
        }
        assert_eq!(told(&folder, &["check", &format!("mine/{name}")]).0, 0, "the working directory is above both");
    }
}

#[test]
fn however_many_jobs_are_asked_for_the_cores_limit_them() {
    let folder = scratch("hostile-jobs");
    fs::write(folder.join("a.ron"), SMALL).unwrap();
    for args in [&["check", "a.ron"][..], &["swarm", "--seeds", "2"], &["run", "a.ron", "--seeds", "2"]] {
        let (code, text) = told(&folder, &[args, &["--jobs", "1000000"]].concat());
        assert_eq!(code, 0, "{args:?}: {text}");
    }
}

#[test]
fn a_broken_input_is_never_an_internal_error() {
    let folder = scratch("hostile-broken");
    let deep = "[".repeat(200_000);
    let huge = format!("Scenario(name: \"n\", seed: {}", "9".repeat(100_000));
    for (name, content) in [
        ("empty.ron", &b""[..]),
        ("nul.ron", b"\0\0\0\0"),
        ("bytes.ron", b"\xff\xfeScenario()"),
        ("deep.ron", deep.as_bytes()),
        ("deep.json", deep.as_bytes()),
        ("deep.yaml", deep.as_bytes()),
        ("huge.ron", huge.as_bytes()),
        ("torn.ron.gz", b"\x1f\x8b\x08\x00\x00"),
        ("summary.json", b"{\"end_ms\": 1}"),
    ] {
        fs::write(folder.join(name), content).unwrap();
        for args in [
            &["run", name][..],
            &["check", name],
            &["validate", name],
            &["import", name],
            &["diff", name, name],
            &["replay", name],
            &["fmt", "--check", name],
            &["shrink", name],
            &["report", name],
        ] {
            let (code, text) = told(&folder, args);
            assert!(matches!(code, 0..=2), "{args:?}: {code} {text}");
            assert!(!text.contains("internal error"), "{args:?}: {text}");
        }
    }
}

/// Sequences that change a terminal, hide text, or are commands for GitHub Actions.
const NASTY: &str = "\u{1b}[45mX\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{e0041}";

/// A scenario all of whose names and texts are nasty, as far as the language allows it.
fn nasty(folder: &Path) {
    let name = NASTY.chars().filter(|c| !c.is_control()).collect::<String>();
    let text = NASTY.replace('\u{1b}', "\\u{1b}").replace('\u{7}', "\\u{7}").replace('\u{9b}', "\\u{9b}");
    let scenario = format!(
        r#"Scenario(
    name: "n{name}", about: "::error::a{text}", world: World(until: "4h"),
    cluster: [NodePool(name: "p{name}", count: 2, allocatable: {{ "cpu": "2" }})],
    quota: Quota(name: "root{name}", min: {{ "cpu": "4" }}, max: {{ "cpu": "4" }}, children: [
        Quota(name: "q{name}", min: {{ "cpu": "2" }}, namespaces: ["s{name}"]),
        Quota(name: "r", min: {{ "cpu": "2" }}, namespaces: ["z{name}"])]),
    users: [User(name: "u{name}", groups: ["g{name}"])], groups: [Group(name: "g{name}", quota: "q{name}")],
    workloads: [Trace(name: "t", format: Native, file: "rows.csv"),
        Job(name: "::warning::k{name}", namespace: "z{name}", submit: "10m", request: {{ "cpu": "2" }}, runtime: "1h")],
    expect: [Final(Evictions(exactly: 5), because: "{text}::x"), Final(Pods(of: Workload("::warning::k{name}"), running: 5))],
)
"#
    );
    fs::write(folder.join("n.ron"), scenario).unwrap();
    let rows: String = (0..6).map(|n| format!("\"::add-mask::j{n}{NASTY}\",0,9000,\"s{name}\",1\n")).collect();
    fs::write(folder.join("rows.csv"), format!("name,submit_s,runtime_s,namespace,cpu\n{rows}")).unwrap();
}

/// What no text may have: a hidden character other than a line end, except for the colours that the program itself uses.
fn is_harmless(text: &str) -> bool {
    let codes = ["0", "1", "2", "31", "32", "33", "91", "93", "94", "96"];
    let own = |text: String, code: &str| {
        text.replace(&format!("\u{1b}[{code}m"), "").replace(&format!("\u{1b}[1;{code}m"), "")
    };
    let plain = codes.iter().fold(text.replace("\u{1b}[1m\u{1b}[", "\u{1b}["), |text, code| own(text, code));
    plain.chars().all(|c| c == '\n' || !quotree_page::is_hidden(c))
}

#[test]
fn no_name_controls_a_terminal_hides_text_or_gives_a_command() {
    let folder = scratch("hostile-names");
    nasty(&folder);
    let name = NASTY.chars().filter(|c| !c.is_control()).collect::<String>();
    let (quota, job) = (format!("q{name}"), format!("::warning::k{name}-1"));
    for args in [
        &["run", "n.ron"][..],
        &["run", "n.ron", "--by", "job", "--by", "user", "--by", "namespace", "--by", "group", "--by", "quota"],
        &["run", "n.ron", "--format", "json"],
        &["run", "n.ron", "--markdown", "-"],
        &["run", "n.ron", "--prometheus", "-"],
        &["run", "n.ron", "--seeds", "3"],
        &["check", "n.ron"],
        &["check", "n.ron", "--format", "json"],
        &["check", "n.ron", "--markdown", "-"],
        &["check", "n.ron", "--seeds", "2"],
        &["inspect", "n.ron", "--at", "11m"],
        &["inspect", "n.ron", "--at", "11m", "--format", "json"],
        &["tenancy", "n.ron"],
        &["validate", "n.ron"],
        &["explain", "n.ron", &job],
        &["explain", "n.ron", &job, "--format", "json"],
        &["explain", "n.ron", "--quota", &quota],
        &["explain", "n.ron", &format!("none{name}")],
        &["diff", "n.ron", "--policy", "Capacity(reclaim: Off)"],
        &["diff", "n.ron", "--policy", "Capacity(reclaim: Off)", "--format", "json"],
        &["compare", "n.ron", "--policies", "Capacity(),Capacity(reclaim: Off)"],
        &[
            "sweep",
            "n.ron",
            "--set",
            "policy.reclaim=Off,Min",
            "--show",
            &format!("wait.p95 of {quota}"),
            "--format",
            "csv",
        ],
        &["run", &format!("none{name}.ron")],
        &["run", "n.ron", "--set", &format!("quota.{name}.min=1")],
    ] {
        for colour in ["never", "always"] {
            let (code, text) = told(&folder, &[args, &["--color", colour]].concat());
            assert!(code < 3 && text.len() > 20, "{args:?}: {text}");
            assert!(is_harmless(&text), "{args:?} {colour}: {text:?}");
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{args:?}: {text:?}");
        }
    }
    // With `--annotate`, the commands are those of quotree alone.
    let annotated = run(&folder, &["check", "n.ron", "--annotate"]).stderr;
    let annotated = String::from_utf8(annotated).unwrap();
    assert!(is_harmless(&annotated) && annotated.contains("::error file=n.ron,line="), "{annotated:?}");
    for line in annotated.lines() {
        assert!(line.starts_with("::error file=") || line.starts_with("::warning file="), "{line:?}");
    }
}

#[test]
fn no_file_that_is_written_has_hidden_characters() {
    let folder = scratch("hostile-files");
    nasty(&folder);
    let args =
        ["run", "n.ron", "--out", "out", "--figures", "svg", "--markdown", "out/m.md", "--prometheus", "out/p.prom"];
    assert_eq!(told(&folder, &[&args[..], &["--tables", "csv,json"]].concat()).0, 1);
    let args = ["check", "n.ron", "--junit", "out/j.xml", "--markdown", "out/c.md"];
    assert_eq!(told(&folder, &args).0, 1);
    let mut files = vec!["j.xml", "c.md", "m.md", "p.prom", "summary.md", "metrics.prom", "tree.svg", "report.html"];
    let of = |part: &str| {
        names(&folder.join("out").join(part)).into_iter().map(|name| format!("{part}/{name}")).collect::<Vec<_>>()
    };
    let (tables, figures) = (of("tables"), of("figures"));
    files.extend(tables.iter().chain(&figures).map(String::as_str));
    assert!(tables.len() > 3 && !figures.is_empty());
    for file in files {
        let text = fs::read_to_string(folder.join("out").join(file)).unwrap();
        let found: Vec<char> =
            text.chars().filter(|c| !"\n\t\r".contains(*c) && quotree_page::is_hidden(*c)).take(8).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}
