//! What the process keeps of memory that it no longer uses: glibc would hold on to a load's for ever, in an arena a thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
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
    pub(crate) fn give_back() {}
}

pub(crate) use glibc::give_back;

/// How often a server gives back what is free.
pub(crate) const EVERY: std::time::Duration = std::time::Duration::from_secs(5);
