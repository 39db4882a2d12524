use std::fs::{self, File, FileTimes};
use std::time::Duration;

use super::super::integrity;
use super::*;

/// A cache, and a file of a pack that was last changed an hour ago as far as its owner can say.
struct Case {
    folder: PathBuf,
    receipts: Receipts,
    path: PathBuf,
    entry: FileEntry,
}

impl Case {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("musetalk-receipts-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("generator.onnx.data");
        fs::write(&path, "weights").unwrap();
        let sha256 = integrity::sha256(&path, |_| std::ops::ControlFlow::Continue(())).unwrap();
        let entry = FileEntry { bytes: 7, sha256 };
        Self { receipts: Receipts(Some(folder.join("cache"))), folder, path, entry }
    }

    /// The file as it looks now, at a time when it has long settled.
    fn seen(&self) -> Seen {
        let mut seen = Receipts::look(&self.path).unwrap();
        seen.at += 2 * TICK;
        seen
    }

    /// Keeps a receipt as if the file had long settled, and says where it is.
    fn kept(&self) -> PathBuf {
        let seen = self.seen();
        let place = self.receipts.place(&seen).unwrap();
        let (path, sha256) = (String::new(), self.entry.sha256.clone());
        write(&place, &Receipt { path, stamp: seen.stamp, read: seen.at, sha256 }).unwrap();
        assert!(self.vouched());
        place
    }

    fn vouched(&self) -> bool {
        let mut seen = self.seen();
        seen.at += TICK;
        self.receipts.vouch(&seen, &self.entry)
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn an_unchanged_file_is_vouched_for_and_another_content_is_not() {
    let mut case = Case::new("unchanged");
    assert!(!case.vouched());
    case.kept();
    case.entry.sha256 = "0".repeat(64);
    assert!(!case.vouched());
}

#[test]
fn a_changed_file_is_read_again() {
    let case = Case::new("size");
    case.kept();
    fs::write(&case.path, "weights and more").unwrap();
    assert!(!case.vouched(), "another size");

    let case = Case::new("modified");
    case.kept();
    let file = File::options().write(true).open(&case.path).unwrap();
    let past = SystemTime::now() - Duration::from_secs(3_600);
    file.set_times(FileTimes::new().set_modified(past)).unwrap();
    assert!(!case.vouched(), "another time of change");
}

#[cfg(unix)]
#[test]
fn a_change_that_hides_its_time_is_noticed() {
    let case = Case::new("hidden");
    let before = fs::metadata(&case.path).unwrap().modified().unwrap();
    case.kept();
    // As programs do that keep the times of what they edit.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&case.path, "WEIGHTS").unwrap();
    let file = File::options().write(true).open(&case.path).unwrap();
    file.set_times(FileTimes::new().set_modified(before)).unwrap();
    assert_eq!(fs::metadata(&case.path).unwrap().modified().unwrap(), before);
    assert!(!case.vouched());
}

#[cfg(unix)]
#[test]
fn a_file_in_the_place_of_another_is_read() {
    let case = Case::new("inode");
    let before = fs::metadata(&case.path).unwrap().modified().unwrap();
    case.kept();
    let other = case.folder.join("other");
    fs::write(&other, "weIghts").unwrap();
    let file = File::options().write(true).open(&other).unwrap();
    file.set_times(FileTimes::new().set_modified(before)).unwrap();
    fs::rename(&other, &case.path).unwrap();
    assert!(!case.vouched());
}

#[cfg(unix)]
#[test]
fn a_link_that_is_turned_elsewhere_is_read() {
    let mut case = Case::new("link");
    let (other, link) = (case.folder.join("other"), case.folder.join("link"));
    fs::copy(&case.path, &other).unwrap();
    std::os::unix::fs::symlink(&case.path, &link).unwrap();
    let target = std::mem::replace(&mut case.path, link.clone());
    case.kept();
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert!(!case.vouched());
    case.path = target;
    assert!(case.vouched(), "the file itself has its receipt, by whatever name it was read");
}

#[test]
fn a_file_that_changed_a_moment_ago_gets_no_receipt() {
    let case = Case::new("fresh");
    let seen = Receipts::look(&case.path).unwrap();
    case.receipts.keep(&seen, &case.entry);
    assert!(!case.receipts.place(&seen).unwrap().exists());
}

#[test]
fn a_file_that_changes_while_it_is_read_gets_no_receipt() {
    let case = Case::new("while");
    let seen = case.seen();
    fs::write(&case.path, "other weights").unwrap();
    case.receipts.keep(&seen, &case.entry);
    assert!(!case.receipts.place(&seen).unwrap().exists());
}

#[test]
fn only_a_settled_past_is_believed() {
    let stamp = Stamp { bytes: 7, modified: 10 * TICK, changed: 11 * TICK, device: 1, inode: 1 };
    let receipt = |read| Receipt { path: String::new(), stamp: stamp.clone(), read, sha256: "a".to_owned() };
    assert!(receipt(12 * TICK).holds(&stamp, "a", 12 * TICK));
    assert!(!receipt(12 * TICK - 1).holds(&stamp, "a", 20 * TICK), "read within the tick of the change");
    assert!(!receipt(30 * TICK).holds(&stamp, "a", 29 * TICK), "the clock was set back");
    let future = Stamp { modified: u64::MAX, ..stamp.clone() };
    let receipt = Receipt { path: String::new(), stamp: future.clone(), read: 12 * TICK, sha256: "a".into() };
    assert!(!receipt.holds(&future, "a", 20 * TICK), "a file of the future");
}

#[test]
fn damaged_receipts_are_as_none() {
    let case = Case::new("damaged");
    let place = case.kept();
    let whole = fs::read(&place).unwrap();
    for length in 0..whole.len() {
        fs::write(&place, &whole[..length]).unwrap();
        assert!(!case.vouched(), "cut at {length}");
    }
    for text in ["", "null", "[]", "{}", "\u{0}", &"[".repeat(60_000)] {
        fs::write(&place, text).unwrap();
        assert!(!case.vouched());
    }
    let mut long = whole.clone();
    long.resize(LIMIT as usize + 1, b' ');
    fs::write(&place, long).unwrap();
    assert!(!case.vouched());
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    assert!(!case.vouched());
}

#[test]
fn a_receipt_of_another_path_is_none() {
    let mut case = Case::new("another");
    let place = case.kept();
    let other = case.folder.join("other");
    // On systems without inodes only the name of the receipt binds it to its file.
    fs::hard_link(&case.path, &other).unwrap();
    case.path = other;
    assert!(!case.vouched());
    assert!(place.exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let mut case = Case::new("unwritable");
    let file = case.folder.join("cache");
    fs::write(&file, "not a folder").unwrap();
    case.receipts = Receipts(Some(file));
    let mut seen = Receipts::look(&case.path).unwrap();
    assert!(!case.receipts.vouch(&seen, &case.entry));
    // Settled and unchanged: a receipt would be due.
    seen.at = seen.stamp.modified.max(seen.stamp.changed) + TICK;
    while Receipts::look(&case.path).unwrap().at < seen.at {
        std::thread::sleep(Duration::from_millis(50));
    }
    case.receipts.keep(&seen, &case.entry);
    assert!(!case.vouched());
    case.receipts = Receipts(None);
    case.receipts.keep(&seen, &case.entry);
    assert!(!case.vouched());
}

#[test]
fn two_writers_at_once_leave_one_whole_receipt() {
    let case = Case::new("two");
    let mut seen = Receipts::look(&case.path).unwrap();
    seen.at = seen.stamp.modified.max(seen.stamp.changed) + TICK;
    while Receipts::look(&case.path).unwrap().at < seen.at {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| case.receipts.keep(&seen, &case.entry));
        }
    });
    assert!(case.vouched());
    let left: Vec<_> = fs::read_dir(case.folder.join("cache")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
