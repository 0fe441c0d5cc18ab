//! Lab M3: counters that expire, as a supervised server.
