use std::path::PathBuf;

/// The folder in which this project keeps what it fetched and what it has checked: `MUSETALK_CACHE`, else the user's
/// cache folder. `None` where this user has no home. Creates nothing.
pub fn cache_dir() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("MUSETALK_CACHE") {
        return Some(folder);
    }
    if cfg!(windows) {
        return set("LOCALAPPDATA").map(|folder| folder.join("musetalk").join("cache"));
    }
    if cfg!(target_os = "macos") {
        return set("HOME").map(|home| home.join("Library/Caches/musetalk"));
    }
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|folder| folder.join("musetalk"))
}
