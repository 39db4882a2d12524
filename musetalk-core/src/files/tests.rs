use super::*;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("musetalk-files-{}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_a_killed_process_left_goes_and_what_a_living_one_writes_stays() {
    let folder = folder("abandoned");
    let path = folder.join("me.avatar");
    // What a kill leaves: a name, and nobody who holds it. The others are not of this file, or not names of ours.
    let others = ["you.avatar.1-0.part", "me.avatar.part", "me.avatar.x-0.part", "me.avatar.1-0.part.bak"];
    for name in ["me.avatar.1-0.part", "me.avatar.4000000-17.part"].iter().chain(&others) {
        std::fs::write(folder.join(name), "half").unwrap();
    }
    let mut living = Unfinished::create(&path).unwrap();
    living.write_all(b"first").unwrap();
    let mut second = Unfinished::create(&path).unwrap();
    second.write_all(b"second").unwrap();
    assert_eq!(names(&folder).len(), others.len() + 2, "{:?}", names(&folder));
    living.publish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"first");
    second.publish().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"second");
    let mut expected: Vec<String> = others.iter().map(ToString::to_string).collect();
    expected.push("me.avatar".to_owned());
    expected.sort();
    assert_eq!(names(&folder), expected);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn links_that_somebody_planted_are_not_written_through() {
    let folder = folder("planted");
    let victim = folder.join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let path = folder.join("me.avatar");
    // All names that the next writers of this process would take.
    for count in 0..40 {
        let name = format!("me.avatar.{}-{count}.part", std::process::id());
        std::os::unix::fs::symlink(&victim, folder.join(name)).unwrap();
    }
    write_whole(&path, b"whole").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");

    let work = folder.join("work");
    for plant in [std::os::unix::fs::symlink::<&Path, &Path>, std::fs::hard_link::<&Path, &Path>] {
        plant(&victim, &work).unwrap();
        let error = open_own(&work, b"ours ").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("remove it or write elsewhere"), "{error}");
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        std::fs::remove_file(&work).unwrap();
    }
    // A link to nothing must not become a file elsewhere.
    std::os::unix::fs::symlink(folder.join("elsewhere"), &work).unwrap();
    open_own(&work, b"ours ").unwrap_err();
    assert!(!folder.join("elsewhere").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn work_is_taken_up_by_one_process_at_a_time_and_only_from_files_of_ours() {
    let folder = folder("own");
    let path = folder.join("work");
    let (mut file, found) = open_own(&path, b"ours ").unwrap();
    assert_eq!(found, Found::Nothing);
    let error = open_own(&path, b"ours ").unwrap_err();
    assert!(error.to_string().contains("another run"), "{error}");
    file.write_all(b"ours and more").unwrap();
    drop(file);
    let (mut file, found) = open_own(&path, b"ours ").unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!((found, text.as_str()), (Found::Own, "ours and more"));
    drop(file);
    std::fs::write(&path, "somebody's").unwrap();
    let error = open_own(&path, b"ours ").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    let folder = folder("special");
    let (socket, link) = (folder.join("socket"), folder.join("link"));
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    for path in [&socket, &link, Path::new("/dev/full")] {
        let error = write_whole(path, b"picture").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert_eq!(names(&folder), ["link", "socket"]);
    std::fs::remove_dir_all(&folder).unwrap();
}
