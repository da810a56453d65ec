//! The lines: what each is called, how often it is due, and how it can be known.

use std::time::Duration;

use super::finding::Finding;
use super::{Known, drills, newest, offsite, upkeep};

/// How often a line is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rhythm {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every quarter of a year.
    Quarterly,
    /// Always, for the day on which all is lost; looked at anew every month where a machine can, else every quarter.
    Standing(Review),
}

/// How often what stands is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Review {
    /// 31 days.
    Month,
    /// 92 days.
    Quarter,
}

impl Rhythm {
    /// For how long a tick is good.
    pub fn period(self) -> Duration {
        let days = match self {
            Rhythm::Daily => 1,
            Rhythm::Weekly => 7,
            Rhythm::Monthly | Rhythm::Standing(Review::Month) => 31,
            Rhythm::Quarterly | Rhythm::Standing(Review::Quarter) => 92,
        };
        Duration::from_secs(days * 86_400)
    }

    /// The heading under which its lines stand.
    pub fn title(self) -> &'static str {
        match self {
            Rhythm::Daily => "Daily",
            Rhythm::Weekly => "Weekly",
            Rhythm::Monthly => "Monthly",
            Rhythm::Quarterly => "Quarterly",
            Rhythm::Standing(_) => "For a disaster",
        }
    }
}

/// How a line can be known.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// By what probes and drills have shown.
    Seen(fn(&Known) -> Vec<Finding>),
    /// By what a person says, and by nothing else.
    Said,
}

pub(super) struct Item {
    pub(super) key: &'static str,
    pub(super) rhythm: Rhythm,
    pub(super) title: &'static str,
    pub(super) is_optional: bool,
    pub(super) how: How,
    /// What is missing while nobody has said so.
    pub(super) untold: &'static str,
    /// What would tick it, beside attesting; `SOURCE` stands for the source that lacks it.
    way: &'static str,
}

impl Item {
    /// What would tick it now, by what is missing first.
    pub(super) fn way(&self, known: &Known, missing: &str) -> String {
        if self.way.is_empty() {
            return format!("pgvigil backup attest {} --by NAME", self.key);
        }
        let mut names = known.records.iter().map(|record| &*record.settings.name);
        let lacks = |name: &&str| {
            missing
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(": "))
        };
        self.way
            .replace("SOURCE", names.find(lacks).unwrap_or("SOURCE"))
    }
}

const fn seen(
    key: &'static str,
    rhythm: Rhythm,
    title: &'static str,
    find: fn(&Known) -> Vec<Finding>,
    way: &'static str,
) -> Item {
    Item {
        key,
        rhythm,
        title,
        is_optional: false,
        how: How::Seen(find),
        untold: "",
        way,
    }
}

const fn said(
    key: &'static str,
    rhythm: Rhythm,
    title: &'static str,
    untold: &'static str,
) -> Item {
    Item {
        key,
        rhythm,
        title,
        is_optional: false,
        how: How::Said,
        untold,
        way: "",
    }
}

const MONTHLY: Rhythm = Rhythm::Standing(Review::Month);
const DOCUMENT: Rhythm = Rhythm::Standing(Review::Quarter);
const DRILL: &str = "pgvigil backup drill SOURCE";

pub(super) const ITEMS: [Item; 17] = [
    seen(
        "backup-ran",
        Rhythm::Daily,
        "The backup ran by itself",
        newest::ran,
        "run the backup job by hand and read its output",
    ),
    seen(
        "backup-offsite",
        Rhythm::Daily,
        "The newest backup lies offsite",
        offsite::offsite,
        "copy it to another site, and name that place among `backups` with `copy_of: SOURCE` and `offsite: true`",
    ),
    seen(
        "backup-size",
        Rhythm::Daily,
        "Its size is what it usually is",
        newest::size,
        "compare the newest backup with the one before it (`pg_restore --list`)",
    ),
    seen(
        "integrity-verified",
        Rhythm::Weekly,
        "The newest backup was read to its end and is whole",
        newest::integrity,
        "pgvigil backup verify FILE",
    ),
    seen(
        "restored-in-drill",
        Rhythm::Weekly,
        "A backup was restored into a scratch cluster",
        drills::drilled_weekly,
        DRILL,
    ),
    seen(
        "logs-reviewed",
        Rhythm::Weekly,
        "The backup logs are free of errors",
        upkeep::logs,
        "read the log and mend the cause; name it as `log` of the source where that is missing",
    ),
    said(
        "disaster-drill",
        Rhythm::Monthly,
        "A disaster was rehearsed from end to end",
        "nobody has said that one was rehearsed",
    ),
    seen(
        "retention-reviewed",
        Rhythm::Monthly,
        "Backups are kept as long as promised, and no longer",
        upkeep::retention,
        "say how long as `keep` of the source, and remove or keep backups accordingly",
    ),
    seen(
        "storage-checked",
        Rhythm::Monthly,
        "There is room for the backups to come",
        upkeep::room,
        "remove backups older than promised, or enlarge the storage",
    ),
    said(
        "recovery-plan-reviewed",
        Rhythm::Quarterly,
        "The recovery plan was read again and brought up to date",
        "nobody has said that it was reviewed",
    ),
    said(
        "production-restore-tested",
        Rhythm::Quarterly,
        "A restore to production was tried in a maintenance window",
        "nobody has said that it was tried",
    ),
    said(
        "access-audited",
        Rhythm::Quarterly,
        "Who can read and delete backups was checked",
        "nobody has said that it was checked",
    ),
    seen(
        "offsite-configured",
        MONTHLY,
        "Every backup has a place offsite",
        offsite::offsite_configured,
        "name a place among `backups` with `copy_of: SOURCE` and `offsite: true`",
    ),
    seen(
        "restore-tested-monthly",
        MONTHLY,
        "A restore worked in the last month",
        drills::drilled_monthly,
        DRILL,
    ),
    said(
        "runbook-written",
        DOCUMENT,
        "The steps of a recovery are written down where they can be read without the server",
        "nobody has said that they are",
    ),
    said(
        "contacts-current",
        DOCUMENT,
        "The list of whom to call is up to date",
        "nobody has said that it is",
    ),
    Item {
        is_optional: true,
        ..seen(
            "replica-for-failover",
            MONTHLY,
            "A replica can take over",
            upkeep::replica,
            "set up a streaming standby, where an outage as long as a restore is too long",
        )
    },
];

/// The names of all lines, in their order.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ITEMS.iter().map(|item| item.key)
}

/// Whether a line is known by what is seen of the backups, and not by what people say alone.
pub fn is_seen(key: &str) -> bool {
    let mut items = ITEMS.iter();
    items.any(|item| item.key == key && matches!(item.how, How::Seen(_)))
}

/// What a line says; `None` where there is none of that name.
pub fn title(key: &str) -> Option<(&'static str, Rhythm)> {
    let found = ITEMS.iter().find(|item| item.key == key)?;
    Some((found.title, found.rhythm))
}
