//! What a claim takes: the room shared among the lines that have something due. Pure.

use std::collections::HashMap;

use super::pace::Pace;
use crate::store::{
    endpoints::Waiting,
    limits::Limit,
    queue::{Claimed, Wanted},
};

/// Endpoints that one claim serves; the others have their turn in the next.
const ENDPOINTS_A_CLAIM: usize = 64;
/// Deliveries that a place is given at once while its endpoint answers quickly: it sends them one after the other, and fewer claims are made.
pub const AHEAD: i64 = 16;

/// What a claim may take.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many deliveries of which endpoint.
    pub wanted: Vec<Wanted>,
    /// When something is due at the earliest that is not due yet.
    pub next_ms: Option<i64>,
    /// Whether something due was left for want of room.
    pub starved: bool,
    /// The lines that have something due and had no turn.
    pub left: Vec<String>,
}

/// An endpoint that has something due, and how much of it may be sent at once.
pub struct Due {
    pub wanted: Wanted,
    pub slow: bool,
}

/// How many deliveries a place of the line is given at once: what is limited or keeps its order is claimed one by one.
pub fn ahead(endpoint: &Waiting, pace: &Pace, now_ms: i64) -> i64 {
    if endpoint.is_free() && pace.is_quick(now_ms) { AHEAD } else { 1 }
}

/// How many more may be sent there at once.
pub fn places(endpoint: &Waiting, pace: &Pace) -> i64 {
    let limit = if endpoint.in_order { 1 } else { pace.limit };
    let places = i64::try_from(limit.saturating_sub(pace.in_flight)).unwrap_or(i64::MAX);
    endpoint.limits.iter().map(Limit::burst).fold(places, i64::min)
}

/// Gives each an even share of the room, what timed out last of its own; who comes first changes with `turn`.
pub fn share(mut due: Vec<Due>, (mut room, mut slow_room): (usize, usize), turn: usize, plan: &mut Plan) {
    if due.is_empty() {
        return;
    }
    let first = turn % due.len();
    due.rotate_left(first);
    let count = due.len();
    for (served, Due { wanted, slow }) in due.into_iter().enumerate() {
        if room == 0 || plan.wanted.len() == ENDPOINTS_A_CLAIM {
            plan.starved = true;
            plan.left.push(wanted.line);
            continue;
        }
        let even = room / (count - served).min(ENDPOINTS_A_CLAIM);
        let wants = usize::try_from(wanted.limit).unwrap_or_default();
        let gets = wants.min(even.max(1)).min(if slow { slow_room } else { room });
        plan.starved |= gets < wants;
        if gets > 0 {
            room -= gets;
            slow_room = slow_room.saturating_sub(if slow { gets } else { 0 }).min(room);
            plan.wanted.push(Wanted { limit: i64::try_from(gets).unwrap_or(i64::MAX), ..wanted });
        }
    }
}

/// What was claimed, spread over the places of its lines in the order it was queued.
pub fn shares(claimed: Vec<Claimed>, wanted: &[Wanted]) -> Vec<(String, Vec<Claimed>)> {
    let places: HashMap<&str, usize> =
        wanted.iter().map(|wanted| (wanted.line.as_str(), usize::try_from(wanted.limit).unwrap_or(1))).collect();
    let mut shares: Vec<(String, Vec<Claimed>)> = Vec::new();
    // Of each line where its shares are, and which one gets the next.
    let mut of_line: HashMap<String, (Vec<usize>, usize)> = HashMap::new();
    for delivery in claimed {
        let line = delivery.endpoint_id.clone();
        let (own, turn) = of_line.entry(line.clone()).or_default();
        if own.len() < places.get(line.as_str()).copied().unwrap_or(1) {
            own.push(shares.len());
            shares.push((line, vec![delivery]));
        } else {
            shares[own[*turn % own.len()]].1.push(delivery);
            *turn += 1;
        }
    }
    shares
}
