//! Whose turn connection B is: one reader's at a time, and one who is in a hurry is next.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};

/// The permit for connection B and who waits for it in a hurry.
#[derive(Debug)]
pub(super) struct Turns {
    permit: Arc<Semaphore>,
    hurried: watch::Sender<usize>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Turns {
            permit: Arc::new(Semaphore::new(1)),
            hurried: watch::Sender::new(0),
        }
    }

    /// The permit, after whoever has it and whoever is in a hurry.
    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let mut hurried = self.hurried.subscribe();
        loop {
            // The sender is ours, so that waiting ends only when nobody hurries.
            let _ = hurried.wait_for(|count| *count == 0).await;
            let permit = Arc::clone(&self.permit).acquire_owned().await?;
            if *self.hurried.borrow() == 0 {
                return Ok(permit);
            }
        }
    }

    /// The permit, after whoever has it.
    pub(super) async fn take_first(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let _hurry = Hurry::begin(&self.hurried);
        Arc::clone(&self.permit).acquire_owned().await
    }

    /// Whether somebody in a hurry waits.
    pub(super) fn are_wanted(&self) -> bool {
        *self.hurried.borrow() > 0
    }
}

/// Counts as one who is in a hurry until it is dropped.
struct Hurry<'a>(&'a watch::Sender<usize>);

impl<'a> Hurry<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Hurry(count)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn one_in_a_hurry_passes_all_who_wait() {
        let turns = Arc::new(Turns::new());
        let (order, mut said) = tokio::sync::mpsc::unbounded_channel();
        let first = turns.take().await.unwrap();
        for name in ["patient", "patient too", "hurried"] {
            let (turns, order) = (Arc::clone(&turns), order.clone());
            tokio::spawn(async move {
                let permit = match name {
                    "hurried" => turns.take_first().await,
                    _ => turns.take().await,
                };
                order.send(name).unwrap();
                drop(permit);
            });
            yield_now().await;
        }
        assert!(turns.are_wanted());
        drop(first);
        assert_eq!(said.recv().await, Some("hurried"));
        assert!(said.recv().await.is_some() && said.recv().await.is_some());
        assert!(!turns.are_wanted());
    }

    #[tokio::test]
    async fn one_who_gives_up_holds_up_nobody() {
        let turns = Turns::new();
        let first = turns.take().await.unwrap();
        let hurried = turns.take_first();
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(1), hurried)
                .await
                .is_err()
        );
        drop(first);
        assert!(!turns.are_wanted());
        assert!(turns.take().await.is_ok());
    }
}
