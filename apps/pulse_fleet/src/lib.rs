//! All carts of this node: start, restart, sleep, bound; the shop's front door.
