//! Tests of a book on a real disk: half lines, full days, full disks, and what others do to its file.

use super::*;
use crate::seed::throw;

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("offhook-{:032x}", throw().unwrap()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        fs::read_dir(&self.0).unwrap().map(|entry| name(entry).unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rotation(most: u64, keep: usize) -> Rotation {
    Rotation { most, daily: true, keep }
}

fn lasting() -> Rotation {
    Rotation { daily: false, ..rotation(1 << 30, 3) }
}

fn day(day: u64) -> Duration {
    Duration::from_secs(20_000 * DAY + day * DAY)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn lines_stand_under_their_head_and_nobody_else_reads_them() {
    let folder = Folder::new();
    let path = folder.0.join("deep/calls.csv");
    let mut book = Book::new(&path, Form::Csv, lasting());
    assert_eq!(book.write(b"1\n2\n", 2, day(0)), []);
    assert_eq!(book.write(b"3\n", 1, day(0)), []);
    drop(book);
    let mut book = Book::new(&path, Form::Csv, lasting());
    assert_eq!(book.write(b"4\n", 1, day(0)), []);
    assert_eq!(text(&path), Form::Csv.head() + "1\n2\n3\n4\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_line_that_a_crash_left_half_is_cut_and_that_is_said() {
    let folder = Folder::new();
    for (left, whole, half) in [
        (&b"{\"a\":1}\n{\"a\""[..], &b"{\"a\":1}\n"[..], Some(4)),
        (b"{\"a\":1}\n", b"{\"a\":1}\n", None),
        (b"{\"a", b"", Some(3)),
        (b"", b"", None),
        (&[b'x'; BLOCK * 2 + 1], b"", Some(BLOCK as u64 * 2 + 1)),
    ] {
        let path = folder.0.join("calls.jsonl");
        fs::write(&path, left).unwrap();
        let mut book = Book::new(&path, Form::Json, lasting());
        assert_eq!(book.write(b"{}\n", 1, day(0)), Vec::from_iter(half.map(News::Mended)));
        assert_eq!(fs::read(&path).unwrap(), [whole, b"{}\n"].concat());
    }
}

#[test]
fn a_file_that_is_full_or_of_another_day_is_put_aside_and_the_oldest_go() {
    let folder = Folder::new();
    let path = folder.0.join("calls.csv");
    for name in ["calls-of-mine.csv", "calls-2024-10-04T000000Z.csv.bak"] {
        fs::write(folder.0.join(name), "not ours").unwrap();
    }
    let most = Form::Csv.head().len() as u64 + 20;
    let mut book = Book::new(&path, Form::Csv, rotation(most, 3));
    // Two of ten octets fit, and each day begins anew.
    for (nth, at) in [0, 0, 0, 1, 1, 1, 1, 3].into_iter().enumerate() {
        let news = book.write(format!("line-no-{nth}\n").as_bytes(), 1, day(at));
        assert_eq!(!news.is_empty(), [2, 3, 5, 7].contains(&nth), "{nth}: {news:?}");
    }
    assert_eq!(text(&path), Form::Csv.head() + "line-no-7\n");
    let names = folder.names();
    let full = names.iter().filter(|name| name.starts_with("calls-20") && name.ends_with(".csv"));
    assert_eq!((full.count(), names.len()), (3, 6), "{names:?}");
}

#[test]
fn what_was_written_under_another_head_is_put_aside() {
    let folder = Folder::new();
    let path = folder.0.join("calls.csv");
    fs::write(&path, "old,columns\n1,2\n").unwrap();
    let mut book = Book::new(&path, Form::Csv, lasting());
    let news = book.write(b"x\n", 1, day(0));
    let [News::Turned(aside)] = &news[..] else { panic!("{news:?}") };
    assert_eq!(text(aside), "old,columns\n1,2\n");
    assert_eq!(text(&path), Form::Csv.head() + "x\n");
}

#[test]
fn who_moves_the_file_away_gets_a_new_one() {
    let folder = Folder::new();
    let path = folder.0.join("calls.jsonl");
    let mut book = Book::new(&path, Form::Json, lasting());
    book.write(b"1\n", 1, day(0));
    fs::rename(&path, folder.0.join("moved")).unwrap();
    assert_eq!(book.write(b"2\n", 1, day(0)), []);
    fs::remove_file(&path).unwrap();
    assert_eq!(book.write(b"3\n", 1, day(0)), []);
    assert_eq!((text(&folder.0.join("moved")), text(&path)), ("1\n".into(), "3\n".into()));
}

/// `/dev/full` says what a full disk says; that the link to it goes is how room is made.
#[test]
fn a_full_disk_loses_records_counts_them_and_works_again() {
    let folder = Folder::new();
    let path = folder.0.join("calls.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut book = Book::new(&path, Form::Json, lasting());
    let news = book.write(b"1\n2\n", 2, day(0));
    let [News::Refused(why)] = &news[..] else { panic!("{news:?}") };
    assert!(why.contains("No space left"), "{why}");
    assert_eq!(book.write(b"3\n", 1, day(0)), [], "it is said once");
    assert_eq!(book.write(b"", 0, day(0)), []);
    fs::remove_file(&path).unwrap();
    assert_eq!(book.write(b"4\n", 1, day(0)), [News::WorksAgain(3)]);
    assert_eq!(text(&path), "4\n");
}

/// As in /var/log: the file is ours to write, and its folder is not. Here the name under which it would be kept is too long, which keeps root from it too.
#[test]
fn a_full_file_that_cannot_be_put_aside_is_written_on() {
    let folder = Folder::new();
    let path = folder.0.join("x".repeat(240));
    let mut book = Book::new(&path, Form::Json, rotation(1 << 30, 3));
    let today = UNIX_EPOCH.elapsed().unwrap();
    assert_eq!(book.write(b"{\"a\":1}\n", 1, today), []);
    let news = book.write(b"{\"a\":2}\n", 1, today + DAY_AFTER);
    assert!(matches!(&news[..], [News::Stays(_)]), "{news:?}");
    assert_eq!(book.write(b"{\"a\":3}\n", 1, today + DAY_AFTER * 2), []);
    assert_eq!(book.lost(), None);
    let lines: String = (1..4).map(|a| format!("{{\"a\":{a}}}\n")).collect();
    assert_eq!(text(&path), lines);
}

const DAY_AFTER: Duration = Duration::from_secs(DAY);

#[test]
fn a_full_file_that_cannot_be_removed_costs_no_record() {
    let folder = Folder::new();
    let path = folder.0.join("calls.jsonl");
    // A folder has the name of a full file.
    fs::create_dir(folder.0.join("calls-2024-10-04T000000Z.jsonl")).unwrap();
    let mut book = Book::new(&path, Form::Json, rotation(4, 0));
    assert_eq!(book.write(b"{\"a\":1}\n", 1, day(0)), []);
    let news = book.write(b"{\"a\":2}\n", 1, day(0));
    assert!(matches!(&news[..], [News::Turned(_)]), "{news:?}");
    assert_eq!(text(&path), "{\"a\":2}\n");
    assert_eq!(folder.names().len(), 2, "the folder stays, and the full file is gone");
}
