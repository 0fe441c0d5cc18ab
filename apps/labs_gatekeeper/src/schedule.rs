//! Which check starts when, and what a red one means for the others.
//!
//! **Invariant.** A check starts once, and only when all that it needs is green. Never more run than there are jobs, nor two with the
//! same lock. Every check ends with a verdict: the schedule is over exactly when all have one, and it always gets there.
//!
//! It is pure: endings come in, starts and stops go out. Who asks it keeps the processes.

use crate::plan::{Check, Plan};
use crate::verdict::Verdict;

/// A plan in progress.
#[derive(Debug, Clone)]
pub struct Schedule {
    checks: Vec<Check>,
    states: Vec<State>,
    jobs: usize,
    keep_going: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Running,
    Done(Verdict),
}

impl Schedule {
    /// Nothing has been started. With `keep_going` a red check only takes those with it that need it.
    pub fn new(plan: &Plan, jobs: usize, keep_going: bool) -> Self {
        let checks = plan.checks().to_vec();
        Self { states: vec![State::Waiting; checks.len()], checks, jobs: jobs.max(1), keep_going }
    }

    /// The checks to start now, by their places, in the order of the plan. They count as running from here on.
    pub fn start(&mut self) -> Vec<usize> {
        //>> start
        //? What must be true of a check's needs, of its lock, and of the number of those that run? What changes with each start?
        let mut started = Vec::new();
        for place in 0..self.checks.len() {
            let ready = self.states[place] == State::Waiting
                && self.checks[place]
                    .needs
                    .iter()
                    .all(|&need| self.states[need] == State::Done(Verdict::Passed))
                && self.running().count() < self.jobs
                && !self.is_locked(place);
            if ready {
                self.states[place] = State::Running;
                started.push(place);
            }
        }
        started
        //<<
    }

    /// A running check has ended. Returns the checks to stop now; they are still running until they have ended, too.
    pub fn ended(&mut self, place: usize, verdict: Verdict) -> Vec<usize> {
        //>> ended
        //? Who can't become green any more? Who need not run any more? What is the verdict of those?
        let green = verdict.is_green();
        self.states[place] = State::Done(verdict);
        if green {
            return Vec::new();
        }
        let because = self.checks[place].name.clone();
        for later in 0..self.checks.len() {
            let hopeless = self.checks[later].needs.iter().any(|&need| self.is_lost(need));
            if self.states[later] == State::Waiting && (hopeless || !self.keep_going) {
                self.states[later] = State::Done(Verdict::Skipped { because: because.clone() });
            }
        }
        if self.keep_going { Vec::new() } else { self.running().collect() }
        //<<
    }

    /// Nothing more is to be started: somebody has asked to stop. Returns the checks to stop now.
    pub fn stop(&mut self) -> Vec<usize> {
        for state in &mut self.states {
            if *state == State::Waiting {
                *state = State::Done(Verdict::Stopped);
            }
        }
        self.running().collect()
    }

    /// Whether every check has its verdict.
    pub fn is_over(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::Done(_)))
    }

    /// The verdict of a check that has one.
    pub fn verdict(&self, place: usize) -> Option<&Verdict> {
        match &self.states[place] {
            State::Done(verdict) => Some(verdict),
            State::Waiting | State::Running => None,
        }
    }

    /// The places of those that run.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.states.len()).filter(|&place| self.states[place] == State::Running)
    }

    /// Whether one that runs has the lock that this one wants.
    fn is_locked(&self, place: usize) -> bool {
        let lock = &self.checks[place].lock;
        lock.is_some() && self.running().any(|running| self.checks[running].lock == *lock)
    }

    /// Whether it has ended and is not green.
    fn is_lost(&self, place: usize) -> bool {
        self.verdict(place).is_some_and(|verdict| !verdict.is_green())
    }
}
