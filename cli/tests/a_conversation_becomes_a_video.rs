//! `musetalk talk`: a conversation without a key, from the first word to the video, and everything that can be wrong on the way.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use realtime_client::scripted::{Fault, Scenario, ScriptedServer};
use support::{Folder, installed, musetalk, rms, run, said};

const DEMO: [&str; 4] = ["talk", "--provider", "demo", "--json"];

/// What it told, in the order in which it did.
fn told(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events<'a>(told: &'a [serde_json::Value], name: &str) -> Vec<&'a serde_json::Value> {
    told.iter().filter(|line| line["event"] == name).collect()
}

/// Talks to this server, with these lines on standard input.
fn talk(server: &ScriptedServer, args: &[&str], lines: &str) -> Output {
    let mut child = start(server, args);
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn start(server: &ScriptedServer, args: &[&str]) -> Child {
    let url = server.provider().url;
    let mut command = musetalk(&["talk", "--provider", &url]);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn answering(answers: &[&str]) -> ScriptedServer {
    let mut scenario = Scenario::default();
    scenario.answers = answers.iter().map(|&answer| answer.to_owned()).collect();
    ScriptedServer::start(scenario).unwrap()
}

#[test]
fn the_demonstration_shows_a_whole_conversation() {
    if !(installed("ffmpeg") && installed("ffprobe")) {
        return;
    }
    let folder = Folder::new();
    let out = folder.join("talk.mp4");
    let output = musetalk(&DEMO).arg("--save").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    for (event, count) in
        [("said", 4), ("began", 4), ("interrupted", 1), ("user_said", 2), ("user_wrote", 2), ("problem", 0)]
    {
        assert_eq!(events(&told, event).len(), count, "{event}: {}", said(&output));
    }
    let postures: Vec<_> = events(&told, "posture").iter().map(|line| line["posture"].clone()).collect();
    for posture in ["listening", "thinking", "speaking", "idle"] {
        assert!(postures.contains(&posture.into()), "{posture}");
    }
    let heard = events(&told, "interrupted")[0]["heard_seconds"].as_f64().unwrap();
    assert!((2.0..5.0).contains(&heard), "{heard}");

    // Picture and sound are equally long, and what was cut is not in it.
    let end = told.last().unwrap();
    let frames = end["frames"].as_u64().unwrap();
    assert_eq!(folder.names(), ["talk.mp4"], "nothing is left beside it");
    let path = out.to_str().unwrap();
    let count = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-count_frames",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
            path,
        ],
    );
    assert_eq!(String::from_utf8_lossy(&count).trim(), frames.to_string());
    let sound = run("ffmpeg", &["-v", "error", "-i", path, "-f", "f32le", "-ar", "24000", "-"]);
    let sound: Vec<f32> =
        sound.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert!(
        (sound.len() as f64 / 960.0 - frames as f64).abs() < 3.0,
        "{} samples, {frames} frames",
        sound.len()
    );
    // Half frames: silence goes in by whole ones where a busy machine makes a picture late, and is no speech.
    let spoken = sound.chunks(480).filter(|half| rms(half) > 0.005).count() as f64 / 50.0;
    let whole = 5.9 + 4.15 + heard + 2.35;
    assert!((whole * 0.6..whole).contains(&spoken), "{spoken} s of voice in {whole} s of speech");
}

#[test]
fn piped_lines_are_answered_one_after_the_other() {
    // It repeats what it was told.
    let server = answering(&[]);
    let output = talk(&server, &["--json"], "One?\n\n/paint\n/voice cedar\nTwo?\n");
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    let order: Vec<String> = told
        .iter()
        .filter(|line| ["user_wrote", "said"].contains(&line["event"].as_str().unwrap()))
        .map(|line| line["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(order, ["One?", "You said: One?", "Two?", "You said: Two?"]);
    assert!(events(&told, "problem")[0]["message"].as_str().unwrap().contains("no /paint"));
    assert!(server.seen().iter().any(|event| event["session"]["audio"]["output"]["voice"] == "cedar"));
    // Nobody draws a face that nobody sees; the answers were heard in real time all the same.
    assert_eq!(told.last().unwrap()["frames"], 0);
    assert!(events(&told, "interrupted").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn words_that_cannot_be_printed_are_an_error() {
    let folder = Folder::new();
    for (json, save) in [(true, None), (false, None), (true, Some("talk.avi"))] {
        let server = answering(&["Yes."]);
        let mut command = musetalk(&["talk", "--provider", &server.provider().url]);
        command.args(json.then_some("--json"));
        if let Some(name) = save {
            command.arg("--save").arg(folder.join(name));
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child = command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        // Whether it still reads when the line comes is its affair.
        drop(child.stdin.take().unwrap().write_all(b"Hello?\n"));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("standard output"), "{}", said(&output));
    }
    let others = musetalk(&["doctor"])
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(others.status.code(), Some(1), "and so it is for every command");
}

#[test]
fn a_reader_who_has_gone_is_no_error() {
    let server = answering(&["Yes."]);
    let mut child = start(&server, &["--json"]);
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(b"Hello?\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn piped_lines_and_the_scripted_person_take_turns() {
    let mut command = musetalk(&DEMO);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"One?\nTwo?\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    let problems: Vec<_> = events(&told, "problem");
    assert!(problems.is_empty(), "{problems:?}");
    let turns: Vec<&str> = told
        .iter()
        .filter_map(|line| line["event"].as_str())
        .filter(|event| ["user_wrote", "speech_started", "began"].contains(event))
        .collect();
    // The person's greeting, both lines, the person's own turns; only the last of them interrupts.
    let answered = |asked| [asked, "began"];
    let expected = [
        answered("user_wrote"),
        answered("user_wrote"),
        answered("user_wrote"),
        answered("speech_started"),
        answered("user_wrote"),
        answered("speech_started"),
    ];
    assert_eq!(turns, expected.concat(), "{}", said(&output));
    assert_eq!(events(&told, "interrupted").len(), 1);
}

#[test]
fn an_interruption_tells_the_model_what_was_heard() {
    let mut scenario = Scenario::default();
    scenario.answer_seconds = Some(20.0);
    let server = ScriptedServer::start(scenario).unwrap();
    let mut child = start(&server, &["--json"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"Tell me everything.\n").unwrap();
    support::wait_for(|| server.sent().iter().any(|event| event["type"] == "response.done"));
    std::thread::sleep(Duration::from_secs(1));
    stdin.write_all(b"/interrupt\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    let heard = events(&told, "interrupted")[0]["heard_seconds"].as_f64().unwrap();
    let truncated =
        server.seen().into_iter().find(|event| event["type"] == "conversation.item.truncate").unwrap();
    assert_eq!(truncated["audio_end_ms"].as_u64().unwrap(), (heard * 1000.0) as u64);
    assert!(heard > 0.5 && heard < 19.0, "{heard}");
}

#[test]
fn a_picture_is_shown_and_a_missing_one_is_named() {
    let server = answering(&["A cat."]);
    let folder = Folder::new();
    let (good, bad) = (folder.join("my cat.png"), folder.join("dog.gif"));
    image::RgbImage::new(3, 2).save(&good).unwrap();
    std::fs::write(&bad, "GIF89a").unwrap();
    let lines = format!(
        "/image {}\n/image {}\n/image {}\n/image \"{}\" What is it?\n",
        bad.display(),
        folder.join("nowhere.png").display(),
        folder.path().display(),
        good.display()
    );
    let output = talk(&server, &["--json"], &lines);
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    let problems = events(&told, "problem");
    for (problem, name) in problems.iter().zip(["dog.gif", "nowhere.png", "musetalk-test"]) {
        assert!(problem["message"].as_str().unwrap().contains(name), "{problem}");
    }
    assert_eq!((problems.len(), events(&told, "said").len()), (3, 1));
    let shown = server.seen();
    let shown = shown.iter().find(|event| event["type"] == "conversation.item.create").unwrap();
    assert_eq!(shown["item"]["content"][0]["type"], "input_image");
    assert_eq!(shown["item"]["content"][1]["text"], "What is it?");
}

#[test]
fn a_recording_is_the_microphone_in_real_time() {
    let mut scenario = Scenario::default();
    scenario.answers = vec!["I heard you.".to_owned()];
    let server = ScriptedServer::start(scenario).unwrap();
    let folder = Folder::new();
    let mic = folder.join("mic.wav");
    support::write_wav(&mic, 16_000, &[vec![0; 8_000], vec![6_000; 16_000]].concat());
    let started = std::time::Instant::now();
    let mut command = musetalk(&["talk", "--json", "--mood", "--provider", &server.provider().url]);
    let output = command.arg("--mic").arg(&mic).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = told(&output);
    assert_eq!(events(&told, "speech_started").len(), 1, "{}", said(&output));
    assert_eq!(events(&told, "said").len(), 1);
    assert!(started.elapsed() > Duration::from_millis(1_500), "not faster than it was spoken");
    assert!(server.samples() >= 36_000, "{} samples at 24 kHz", server.samples());
}

#[test]
fn wrong_options_are_refused_before_anybody_is_called() {
    let folder = Folder::new();
    let broken = folder.join("broken.wav");
    std::fs::write(&broken, "RIFF").unwrap();
    std::fs::write(folder.join("voice.wav"), "").unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let demo = ["--provider", "demo"];
    let with = |more: &[&str]| [&demo[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (code, args, words) in [
        (1, vec!["--provider".to_owned(), "nobody".to_owned()], "openai, xai, qwen, qwen:HOST, stepfun"),
        (1, vec!["--provider".to_owned(), "nobody".to_owned()], "or demo"),
        (1, vec!["--provider".to_owned(), "http://host".to_owned()], "ws:// or wss://"),
        (
            1,
            vec!["--provider".to_owned(), "wss://host/v1?api_key=sk-secret".to_owned()],
            "stands in the address",
        ),
        (1, vec!["--provider".to_owned(), "azure".to_owned()], "azure:RESOURCE"),
        (1, vec!["--provider".to_owned(), "openai".to_owned()], "OPENAI_API_KEY"),
        (1, vec![], "--provider demo"),
        (1, with(&["--mic", &path("nowhere.wav")]), "nowhere.wav"),
        (1, with(&["--mic", &path("broken.wav")]), "broken.wav"),
        (1, with(&["--mic", &path("voice.wav")]), "empty"),
        (1, with(&["--save", &path("talk.gif")]), "--save ends in .gif"),
        (1, with(&["--save", &path("no/such/talk.avi")]), "create its folder"),
        (1, with(&["--save", &path("t.avi"), "--pack", &path("nopack")]), "nopack"),
        (1, with(&["--save", &path("t.avi"), "--avatar", &path("nobody.avatar")]), "nobody.avatar"),
        (1, with(&["--save", &path("x.avi"), "--avatar", &path("x.avi")]), "nowhere"),
        (2, with(&["--pack", "p"]), "--save"),
        (2, with(&["--avatar", "a"]), "--save"),
        (2, with(&["--voice", ""]), "--voice"),
        (2, with(&["--model", ""]), "--model"),
        (2, with(&["--device", "abacus"]), "--device"),
        (2, with(&["--threads", "many"]), "--threads"),
        (2, with(&["--key", "sk-secret"]), "--key"),
        (2, with(&["words"]), "words"),
    ] {
        if words == "nowhere" {
            std::fs::write(folder.join("x.avi"), "a face").unwrap();
        }
        let output = quiet(&args).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        let words = if words == "nowhere" { "write elsewhere" } else { words };
        assert!(text.contains(words), "{args:?} without {words:?}: {text}");
        assert!(!text.contains("sk-secret") || code == 2, "{text}");
    }
    assert_eq!(folder.names(), ["broken.wav", "voice.wav", "x.avi"]);
    assert_eq!(std::fs::read(folder.join("x.avi")).unwrap(), b"a face");
}

/// Without any key.
fn quiet(args: &[String]) -> Command {
    let mut command = musetalk(&["talk"]);
    command.args(args);
    for name in [
        "OPENAI_API_KEY",
        "AZURE_OPENAI_API_KEY",
        "XAI_API_KEY",
        "DASHSCOPE_API_KEY",
        "STEPFUN_API_KEY",
        "REALTIME_API_KEY",
    ] {
        command.env_remove(name);
    }
    command
}

#[test]
fn a_server_that_turns_away_leaves_no_video_and_no_key() {
    let folder = Folder::new();
    for (fault, words) in [
        (Fault::Status(401), "the key was refused"),
        (Fault::RejectedAfterUpgrade("invalid_api_key".to_owned()), "turned away"),
        (Fault::RejectedAfterUpgrade("insufficient_quota".to_owned()), "turned away"),
        (Fault::Redirect, "elsewhere"),
    ] {
        let mut scenario = Scenario::default();
        scenario.fault = Some(fault);
        let server = ScriptedServer::start(scenario).unwrap();
        let mut command = musetalk(&["talk", "--provider", &server.provider().url]);
        command.env("REALTIME_API_KEY", "sk-secret-0123456789").arg("--save").arg(folder.join("talk.avi"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert!(!said(&output).contains("sk-secret"), "{}", said(&output));
        assert_eq!(folder.names(), Vec::<String>::new());
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_conversation_and_keeps_what_was_said() {
    let mut scenario = Scenario::default();
    scenario.answer_seconds = Some(60.0);
    let server = ScriptedServer::start(scenario).unwrap();
    let folder = Folder::new();
    let out = folder.join("talk.avi");
    let mut child = start(&server, &["--save", out.to_str().unwrap()]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"Tell me everything.\n").unwrap();
    support::wait_for(|| server.sent().iter().any(|event| event["type"] == "response.done"));
    std::thread::sleep(Duration::from_secs(1));
    assert!(!out.exists(), "half a video has no name");
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(folder.names(), ["talk.avi"]);
    assert!(
        server.seen().iter().any(|event| event["type"] == "conversation.item.truncate"),
        "and the model knows"
    );
    drop(stdin);
}

#[test]
fn a_session_that_breaks_off_is_an_error_and_what_was_said_is_kept() {
    let mut scenario = Scenario::default();
    scenario.fault = Some(Fault::AnswersFail("insufficient_quota".to_owned()));
    let server = ScriptedServer::start(scenario).unwrap();
    let folder = Folder::new();
    let out = folder.join("talk.avi");
    let output = talk(&server, &["--save", out.to_str().unwrap()], "Hello?\n");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error:"), "{}", said(&output));
}

#[test]
fn a_key_that_is_empty_is_asked_for_by_its_name() {
    let output = quiet(&[]).env("OPENAI_API_KEY", " ").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("set OPENAI_API_KEY in the environment"), "{}", said(&output));
}
