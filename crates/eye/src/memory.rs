//! What the process keeps of memory that it no longer uses: glibc would hold on to a load's for ever, in an arena a thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    /// Arenas at most. One a thread, which glibc would make up to sixteen of on two cores, is never again as empty as one of
    /// four; two cost a quarter of the throughput, four none of it (bench/RESULTS.md).
    const ARENAS: libc::c_int = 4;

    /// Before the first thread: few arenas (mallopt(3)).
    #[expect(unsafe_code, reason = "the C library's own function; no pointer is passed")]
    pub(crate) fn few_arenas() {
        // SAFETY: mallopt takes two numbers; no other thread runs yet.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        }
    }

    /// Gives back what is free (malloc_trim(3)).
    #[expect(unsafe_code, reason = "the C library's own function; no pointer is passed")]
    pub(crate) fn give_back() {
        // SAFETY: malloc_trim is safe with threads and touches only free memory.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod glibc {
    pub(crate) fn few_arenas() {}
    pub(crate) fn give_back() {}
}

pub(crate) use glibc::{few_arenas, give_back};

/// How often a server gives back what is free.
pub(crate) const EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// How long a thread that waited on files stays for the next one to read: a load's are gone before the next look at memory.
pub(crate) const THREAD_STAYS: std::time::Duration = std::time::Duration::from_secs(3);
