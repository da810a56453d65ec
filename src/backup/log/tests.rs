use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

struct Scene {
    folder: tempfile::TempDir,
    followed: Followed,
    now: Timestamp,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            folder: tempfile::tempdir().unwrap(),
            followed: Followed::default(),
            now: Timestamp(1_795_438_800_000),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("backup.log")
    }

    fn append(&self, content: impl AsRef<[u8]>) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.path())
            .unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    fn rotate(&self, ending: &str) {
        let name = format!("backup.log{ending}");
        fs::rename(self.path(), self.folder.path().join(name)).unwrap();
    }

    /// Each error's words, after another hour.
    fn look(&mut self) -> Vec<String> {
        self.now = self.now + HOUR;
        let log = self.followed.read(&self.path(), DAY, self.now);
        assert_eq!(log.obstacle, None);
        log.errors.into_iter().map(|error| error.text).collect()
    }
}

#[test]
fn what_is_added_is_read_once_and_line_by_line() {
    let mut scene = Scene::new();
    scene.append("ERROR: of nobody knows when\nall well\n");
    assert!(scene.look().is_empty());
    scene.append("pg_dump: error: on");
    assert!(scene.look().is_empty(), "the line is not complete");
    scene.append("e\nall well\n");
    assert_eq!(scene.look(), ["pg_dump: error: one"]);
    assert_eq!(scene.look(), ["pg_dump: error: one"]);
    scene.append(b"ERROR: \x1b[31mtwo\xff\0\x07\n");
    assert_eq!(
        scene.look(),
        ["pg_dump: error: one", "ERROR: [31mtwo\u{fffd}"]
    );
    // It counts for a day, and the other one for two hours more.
    scene.now = scene.now + DAY.saturating_sub(2 * HOUR);
    assert_eq!(scene.look().len(), 1);
    scene.now = scene.now + 2 * HOUR;
    assert!(scene.look().is_empty());
}

#[test]
fn a_log_that_is_rotated_or_cut_goes_on() {
    let mut scene = Scene::new();
    scene.append("all well\n");
    assert!(scene.look().is_empty());
    scene.append("ERROR: one\n");
    assert_eq!(scene.look().len(), 1);
    scene.rotate(".1");
    scene.append("ERROR: two, in a file that is longer than the one before it was\n");
    assert_eq!(scene.look().len(), 2);
    File::create(scene.path()).unwrap();
    scene.append("ERROR: three\n");
    assert_eq!(scene.look().len(), 3);
    assert_eq!(scene.look().len(), 3);
}

#[test]
fn what_a_log_got_between_the_look_and_its_rotation_is_read() {
    let mut scene = Scene::new();
    scene.append("all well\n");
    assert!(scene.look().is_empty());
    scene.append("ERROR: one\nERROR: two, not ended");
    scene.rotate(".1");
    scene.append("ERROR: three\n");
    let all = ["ERROR: one", "ERROR: two, not ended", "ERROR: three"];
    assert_eq!(scene.look(), all);
    assert_eq!(scene.look(), all);

    // What lies there is what was rotated before or nothing: that is said, once.
    let torn = |scene: &mut Scene| {
        let (path, now) = (scene.path(), scene.now);
        scene.followed.read(&path, DAY, now).is_torn
    };
    scene.append("ERROR: four\n");
    scene.rotate(".2");
    scene.append("all well\n");
    assert_eq!([torn(&mut scene), torn(&mut scene)], [true, false]);
    File::create(scene.path()).unwrap();
    assert!(torn(&mut scene), "it was cut");
    scene.append("ERROR: five\n");
    scene.rotate(".1");
    scene.append("ERROR: six\n");
    assert!(!torn(&mut scene));
    assert_eq!(scene.look()[3..], ["ERROR: five", "ERROR: six"]);
}

#[test]
fn at_the_first_look_lines_are_as_old_as_they_say() {
    let mut scene = Scene::new();
    let hours_ago = |hours: u32| &*scene.now.before(HOUR * hours).rfc3339().leak();
    scene.append(format!(
        "ERROR: before any time\n[{}] starts\nERROR: old\n[{}] starts\nERROR: young\nERROR: too\n",
        hours_ago(30),
        hours_ago(3)
    ));
    assert_eq!(scene.look(), ["ERROR: young", "ERROR: too"]);
    let future = scene.now + 100 * DAY;
    scene.append(format!("{} ERROR: ahead\n", future.rfc3339()));
    assert_eq!(scene.look().len(), 3);
    assert_eq!(scene.followed.errors[2].at, scene.now);
}

#[test]
fn of_very_much_the_end_is_read_and_little_is_kept() {
    let mut scene = Scene::new();
    scene.append("ok\n");
    assert!(scene.look().is_empty());
    scene.append(format!("ERROR: cut away\n{}", "x".repeat(3 << 20)));
    assert!(scene.look().is_empty());
    scene.append(format!(" failed\nERROR: {}\n", "y".repeat(1000)));
    let errors = scene.look();
    assert_eq!(errors.last().unwrap().chars().count(), LONGEST + 1);
    scene.append("ERROR: again\n".repeat(1000));
    assert_eq!(scene.look().len(), KEPT);
}

#[test]
fn what_was_read_is_remembered_and_what_cannot_be_is_said() {
    let mut scene = Scene::new();
    scene.append("ok\n");
    scene.look();
    scene.append("ERROR: one\n");
    scene.look();
    scene.followed.save(scene.folder.path(), "nightly").unwrap();
    scene.followed = Followed::load(scene.folder.path(), "nightly");
    assert_eq!(scene.look(), ["ERROR: one"]);
    fs::remove_file(scene.path()).unwrap();
    for (make, words) in [(false, "does not exist"), (true, "it is no file")] {
        if make {
            fs::create_dir(scene.path()).unwrap();
        }
        let log = scene.followed.read(&scene.path(), DAY, scene.now);
        assert_eq!(log.errors.len(), 1, "what was known stays");
        let said = log.obstacle.unwrap();
        assert!(said.contains(words) && log.read.is_none(), "{said}");
    }
}
