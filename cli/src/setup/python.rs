//! The Python of this machine, for its pip alone.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use musetalk_core::runtime::TESTED_VERSION;
use musetalk_core::{Error, ErrorKind, Result};

use crate::cancel;

/// A Python that has pip.
#[derive(Clone, Debug)]
pub struct Python {
    command: &'static [&'static str],
    version: String,
}

/// The names Python goes by.
const NAMES: [&[&str]; 3] = [&["python3"], &["python"], &["py", "-3"]];
/// Wheels hold the same library for every Python. Where this one has none, that of another serves.
const OTHER_PYTHONS: [&str; 2] = ["3.12", "3.13"];
/// Fetching some 20 MB over a poor line takes minutes; nothing takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

impl Python {
    /// The first that answers and has pip.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`], told apart: no Python, or none with pip.
    pub fn find() -> Result<Self> {
        let mut without_pip = None;
        for command in NAMES {
            let mut pip = start(command);
            pip.args(["-m", "pip", "--version"]);
            match run(pip, Duration::from_secs(60)) {
                Ok(said) if said.status.success() => {
                    let version = said.out.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
                    return Ok(Self { command, version });
                }
                Ok(said) if said.error.contains("No module named pip") => {
                    without_pip = Some(command.join(" "))
                }
                Err(e) if e.kind() == ErrorKind::Cancelled => return Err(e),
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::NotFound, match without_pip {
            Some(python) => format!(
                "{python} has no pip, which fetches ONNX Runtime; run `{python} -m ensurepip`, \
                 or set ORT_DYLIB_PATH to the ONNX Runtime library"
            ),
            None => "no Python was found (python3, python, py -3), whose pip fetches ONNX Runtime; install Python 3, \
                     or set ORT_DYLIB_PATH to the ONNX Runtime library"
                .to_owned(),
        }))
    }

    /// What to type to start it.
    pub fn command(&self) -> String {
        self.command.join(" ")
    }

    /// What its pip calls itself.
    pub fn pip(&self) -> &str {
        &self.version
    }

    /// Downloads the wheel into this folder.
    pub(super) fn download_runtime(&self, folder: &Path) -> Result<PathBuf> {
        let said = match self.download(folder, None)? {
            Ok(wheel) => return Ok(wheel),
            Err(said) => said,
        };
        // A very new or very old Python has no wheel of its own; a machine without network has none for any.
        if said.contains("No matching distribution") && !said.contains("onnection") {
            for other in OTHER_PYTHONS {
                if let Ok(wheel) = self.download(folder, Some(other))? {
                    return Ok(wheel);
                }
            }
        }
        let sentence = format!(
            "pip could not fetch ONNX Runtime {TESTED_VERSION}; connect to the network or give pip a folder with its \
             wheel (PIP_FIND_LINKS), or set ORT_DYLIB_PATH to the library. pip says:\n{}",
            last_lines(&said)
        );
        Err(Error::new(ErrorKind::NotFound, sentence))
    }

    fn download(&self, folder: &Path, other: Option<&str>) -> Result<Result<PathBuf, String>> {
        let mut pip = start(self.command);
        pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--progress-bar=off"])
            .args(["--disable-pip-version-check", "--no-input"]);
        if let Some(version) = other {
            pip.args(["--python-version", version, "--implementation", "cp"]);
        }
        pip.arg("--dest").arg(folder).arg(format!("onnxruntime=={TESTED_VERSION}"));
        let said = run(pip, PATIENCE)?;
        if !said.status.success() {
            return Ok(Err(said.error));
        }
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io("read the folder", folder, e))?;
        let wheel = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|ending| ending == "whl"));
        Ok(wheel.ok_or_else(|| "pip ended well but left no wheel".to_owned()))
    }
}

fn start(command: &[&str]) -> Command {
    let mut python = Command::new(command[0]);
    // Its words are searched for known ones, so they must come in English, and as text.
    python.args(&command[1..]).env("PYTHONIOENCODING", "utf-8").env("LC_ALL", "C.UTF-8");
    python
}

struct Said {
    status: ExitStatus,
    out: String,
    error: String,
}

/// Runs to the end, to Ctrl-C, or to the end of patience.
fn run(mut command: Command, patience: Duration) -> Result<Said> {
    let failed = |e: std::io::Error| {
        Error::new(ErrorKind::NotFound, format!("could not start Python: {e}")).caused_by(e)
    };
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let mut running = Running(child);
    let out = running.0.stdout.take().map(read_all);
    let error = running.0.stderr.take().map(read_all);
    let started = std::time::Instant::now();
    let status = loop {
        cancel::check()?;
        if let Some(status) = running.0.try_wait().map_err(failed)? {
            break status;
        }
        if started.elapsed() > patience {
            let sentence = format!("pip did not end within {} minutes; try again", patience.as_secs() / 60);
            return Err(Error::new(ErrorKind::TimedOut, sentence));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    cancel::check()?;
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader.and_then(|r| r.join().ok()).unwrap_or_default()
    };
    Ok(Said { status, out: text(out), error: text(error) })
}

/// Ends with whoever waits for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        // What came before a failed read is all there is to quote.
        drop(stream.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// The end of what pip said, without addresses: those may hold passwords and names of private machines.
fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last =
        lines[lines.len().saturating_sub(5)..].iter().map(|line| format!("  {}", without_addresses(line)));
    last.collect::<Vec<_>>().join("\n")
}

fn without_addresses(line: &str) -> String {
    let word = |word: &str| {
        let secret =
            word.contains("://") || word.contains('@') || word.contains("host=") || looks_like_host(word);
        if secret { "(address)".to_owned() } else { word.to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// `name.example.org`, `'name.example.org'`, `/name.example.org/path`: two dots or a port behind letters.
fn looks_like_host(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let host = bare.split(['/', ':']).next().unwrap_or(bare);
    let labels: Vec<&str> = host.split('.').collect();
    let letters = |label: &str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    labels.len() >= 2
        && labels
            .iter()
            .all(|label| label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !label.is_empty())
        && labels.last().is_some_and(|label| letters(label))
        && !host.contains("Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_lines_keep_the_reason_and_lose_addresses_and_passwords() {
        let said = "\nWARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError' : /simple/onnxruntime/\n\
            Looking in indexes: https://me:secret@wheels.example.org/simple\n\
            HTTPSConnectionPool(host='wheels.example.org', port=443): Max retries exceeded\n\
            ERROR: No matching distribution found for onnxruntime==1.31.1";
        let quoted = last_lines(said);
        assert!(quoted.contains("No matching distribution found for onnxruntime==1.31.1"), "{quoted}");
        assert!(!quoted.contains("secret") && !quoted.contains("example.org"), "{quoted}");
    }

    #[test]
    fn plain_words_with_dots_are_not_taken_for_machines() {
        for word in
            ["==1.31.1", "versions:", "none)", "total=0,", "3.11.7", "urllib3.exceptions.NewConnectionError"]
        {
            assert_eq!(without_addresses(word), word);
        }
    }
}
