//! A folder in which feeds arrive: the files in it are one source's, those in its folders are of the sources so called.
//!
//! **Invariant.** A watched file is taken when it has stood still for two looks, so that one that is still being written is
//! left alone; one that was fed is looked at again only when it has changed.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::open::{format_of, kind_of};
use super::progress::FeedProgress;
use super::run::{Fed, FeedOptions, FeedRooms, FeedRunError, feed_file};

/// How often a watched folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A file that looks like a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is: the folder that it lies in, where that is one of the folder's.
    pub source: Option<String>,
    /// Its size, in bytes.
    pub size: u64,
}

/// How a file stood at the last look.
type Standing = (u64, Option<SystemTime>);

/// The files of a folder that look like feeds, by name; what has another name is no feed. One level of folders is looked
/// into.
pub fn files_of(folder: &Path) -> io::Result<Vec<FeedFile>> {
    Ok(look(folder)?.into_values().map(|(file, _)| file).collect())
}

fn look(folder: &Path) -> io::Result<BTreeMap<PathBuf, (FeedFile, Standing)>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() && !name.starts_with('.') {
            let source: String = name.chars().take(60).collect();
            for entry in std::fs::read_dir(&path)? {
                note(&entry?.path(), Some(&source), &mut found);
            }
        } else {
            note(&path, None, &mut found);
        }
    }
    Ok(found)
}

fn note(path: &Path, source: Option<&str>, found: &mut BTreeMap<PathBuf, (FeedFile, Standing)>) {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    if hidden || kind_of(path).is_none() || format_of(path).is_none() {
        return;
    }
    // One that is gone by now was renamed: it is found under its new name.
    let Some(meta) = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file) else { return };
    let file = FeedFile { path: path.to_owned(), source: source.map(str::to_owned), size: meta.len() };
    found.insert(path.to_owned(), (file, (meta.len(), meta.modified().ok())));
}

/// A folder that is watched.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// As of the last look; what is gone is forgotten.
    known: HashMap<PathBuf, (Standing, bool)>,
}

impl Watch {
    /// Watches a folder from now on.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: HashMap::new() }
    }

    /// Looks; answers the files that have stood still since the last look and were not fed as they are.
    pub fn look(&mut self) -> io::Result<Vec<FeedFile>> {
        let found = look(&self.folder)?;
        let mut ready = Vec::new();
        self.known.retain(|path, _| found.contains_key(path));
        for (path, (file, standing)) in found {
            match self.known.get(&path) {
                Some((before, fed)) if *before == standing => {
                    if !fed {
                        ready.push(file);
                    }
                }
                _ => {
                    self.known.insert(path, (standing, false));
                }
            }
        }
        Ok(ready)
    }

    /// A file was fed as it stood.
    pub fn fed(&mut self, file: &FeedFile) {
        if let Some((_, fed)) = self.known.get_mut(&file.path) {
            *fed = true;
        }
    }

    /// Feeds what arrives until it is asked to stop; tells of each file. A file that fails is tried again at the next look.
    pub async fn run(
        mut self,
        rooms: &FeedRooms,
        options: &FeedOptions,
        progress: &Arc<FeedProgress>,
        mut told: impl FnMut(&FeedFile, &Result<Fed, FeedRunError>),
    ) -> io::Result<()> {
        while !options.stop.is_cancelled() {
            for file in self.look()? {
                let source = file.source.clone().unwrap_or_else(|| options.source.clone());
                let mine = FeedOptions { source, ..options.clone() };
                let fed = feed_file(rooms, &file.path, &mine, progress, 0).await;
                told(&file, &fed);
                match fed {
                    Ok(Fed::Stopped(_)) => return Ok(()),
                    Ok(Fed::Done(_) | Fed::Known(_) | Fed::Refused(_)) => self.fed(&file),
                    Err(_) => {}
                }
            }
            options.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[FeedFile]) -> Vec<(String, Option<&str>)> {
        let name = |file: &FeedFile| file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.iter().map(|file| (name(file), file.source.as_deref())).collect()
    }

    #[test]
    fn a_file_is_taken_once_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("acme")).unwrap();
        let mut watch = Watch::new(folder.path());
        write("prices-1.csv", "sku");
        write("notes.txt", "no feed");
        write(".prices-2.csv", "hidden");
        write("acme/stock.ndjson.gz", "{");
        assert!(watch.look().unwrap().is_empty(), "it may still be written");
        write("prices-1.csv", "sku,price");
        let still = watch.look().unwrap();
        assert_eq!(names(&still), [("stock.ndjson.gz".to_owned(), Some("acme"))]);
        watch.fed(&still[0]);
        let next = watch.look().unwrap();
        assert_eq!(names(&next), [("prices-1.csv".to_owned(), None)]);
        assert_eq!(watch.look().unwrap().len(), 1, "what failed is there again");
        watch.fed(&next[0]);
        assert!(watch.look().unwrap().is_empty());
        write("prices-1.csv", "sku,price\nP1,2\n");
        watch.look().unwrap();
        assert_eq!(names(&watch.look().unwrap()), [("prices-1.csv".to_owned(), None)], "it has changed");
        assert_eq!(files_of(folder.path()).unwrap().len(), 2);
    }
}
