//! `group_limit` and `group_next_token`: so many groups at a time, from where the last answer ended.

use super::{Failure, Group, Parameters, whole};

/// Which part of the groups is wanted.
pub(super) struct Page<'p> {
    /// 0 for all.
    limit: usize,
    token: Option<&'p str>,
}

impl<'p> Page<'p> {
    pub(super) fn read(parameters: &'p Parameters) -> Result<Page<'p>, Failure> {
        let limit = parameters.given("group_limit").map(read_limit).transpose();
        let limit = limit.map_err(|said| Failure::of("group_limit", said))?;
        let token = parameters.given("group_next_token");
        if limit.is_none() && token.is_some() {
            let said = "group_limit needs to be present in order to paginate over the groups";
            return Err(Failure::of("group_next_token", said));
        }
        let limit = limit.unwrap_or_default();
        Ok(Page { limit, token })
    }

    /// The place of the first group.
    pub(super) fn from(&self, groups: &[&Group]) -> Result<usize, Failure> {
        let Some(wanted) = self.token else {
            return Ok(0);
        };
        let found = groups.iter().position(|group| token(group) == wanted);
        found.ok_or_else(|| {
            let said = format!("invalid group_next_token '{wanted}'. were rule groups changed?");
            Failure::of("group_next_token", said)
        })
    }

    /// So many, and where the next answer begins.
    pub(super) fn cut<'g, R>(
        &self,
        mut groups: Vec<(&'g Group, R)>,
    ) -> (Vec<(&'g Group, R)>, Option<String>) {
        if self.limit == 0 || groups.len() <= self.limit {
            return (groups, None);
        }
        let next = token(groups[self.limit].0);
        groups.truncate(self.limit);
        (groups, Some(next))
    }
}

fn read_limit(text: &str) -> Result<usize, String> {
    let limit = whole(text, "ParseInt")
        .map_err(|said| format!("group_limit needs to be a valid number: {said}"))?;
    match usize::try_from(limit) {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err("group_limit needs to be greater than 0".into()),
    }
}

/// What Prometheus makes of a group's file and name.
fn token(group: &Group) -> String {
    let text = format!("{};{}", group.file, group.name);
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}
