//! The producer from outside: over HTTP and sockets, on both databases.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod support;

mod accounts;
mod api;
mod cancel;
mod canonical;
mod cli;
mod clocks;
mod contract;
mod devices;
mod docs;
mod endpoints;
mod examples;
mod follow;
mod foreign_receivers;
mod guard;
mod handed;
mod holding;
mod kill;
mod leases;
mod limits;
mod lines;
mod matrix;
mod nodes;
mod pace;
mod pages;
mod places;
mod progress;
mod queue;
mod retries;
mod security;
mod service;
mod snippets;
mod tls;
mod triggers;
mod upgrade;
