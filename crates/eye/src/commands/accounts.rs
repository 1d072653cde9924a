use super::Io;
use crate::arguments::{Token, User};
use crate::node::{Node, Problem};
use people::{Role, Viewer};
use serde_json::json;
use std::io::Read;

/// Bytes of a line with a password, at most; the hall refuses shorter ones than this already.
const LONGEST_PASSWORD: u64 = 1 << 16;

/// The words of roles that people and programs may have.
pub fn role(word: &str) -> Result<Role, Problem> {
    word.parse().map_err(|how| Problem::other(format!("no role is called `{word}`: {how}")))
}

pub fn users(node: &Node, me: &Viewer, user: &User, io: &mut Io<'_>) -> Result<(), Problem> {
    match user {
        User::Add { name, role: word, .. } => {
            let mut password = String::new();
            std::io::BufRead::read_line(
                &mut std::io::BufReader::new((&mut *io.stdin).take(LONGEST_PASSWORD)),
                &mut password,
            )?;
            let account = node.people.add_user(me, name, role(word)?, password.trim_end_matches(['\r', '\n']))?;
            writeln!(io.out, "account {account}")?;
        }
        User::Link { user, role: word, minutes } => {
            let role = word.as_deref().map(role).transpose()?;
            let made = node.people.sign_in_link(me, &people::NewLink { user, role, minutes: *minutes })?;
            writeln!(io.err, "signs in {} once, as {}, within {minutes} minutes", made.name, made.role)?;
            writeln!(io.out, "/sign-in/link/{}", made.secret)?;
            if node.people.second_factor(me, made.account)?.is_some() {
                writeln!(io.err, "{} has a second factor: its code is asked for as well", made.name)?;
            }
            // Whoever reads the access log finds who used it by the same id.
            io.about.push(made.id);
        }
        User::List { json } => {
            for a in node.people.accounts(me)? {
                let state = if a.body.disabled { "disabled" } else { "active" };
                if *json {
                    io.json(&json!({"account": a.number, "name": a.body.name, "display": a.display(), "role": a.body.role.as_str(),
                        "kind": a.body.sort, "disabled": a.body.disabled}))?;
                } else {
                    writeln!(io.out, "{}\t{}\t{}\t{state}", a.number, a.display(), a.body.role)?;
                }
            }
        }
    }
    Ok(())
}

pub fn tokens(node: &Node, me: &Viewer, token: &Token, io: &mut Io<'_>) -> Result<(), Problem> {
    match token {
        Token::Create { role: word, name, days } => {
            let role = role(word)?;
            let secret = node.people.create_token(me, &people::NewToken { name, role, days: *days })?;
            writeln!(io.out, "{secret}")?;
            if role == Role::Peer {
                writeln!(io.err, "it sees nothing yet: `eye grant add --collection C --account NAME` lets it")?;
            }
        }
        Token::List { json } => {
            let accounts = node.people.accounts(me)?;
            for row in node.people.tokens(me) {
                let account = accounts.iter().find(|a| a.number == row.account);
                let (name, role) = account.map_or(("", "unknown"), |a| (a.display(), a.body.role.as_str()));
                let ends = row.expires.map(|at| stix::Instant(at).to_string());
                if *json {
                    io.json(&json!({"number": row.number, "name": name, "role": role, "account": row.account,
                        "created": stix::Instant(row.created).to_string(), "expires": ends}))?;
                } else {
                    let ends = ends.map_or_else(|| "until revoked".to_owned(), |at| format!("until {at}"));
                    writeln!(io.out, "{}\t{name}\t{role}\t{ends}", row.number)?;
                }
            }
        }
        Token::Revoke { number } => node.people.revoke_token(me, *number)?,
    }
    Ok(())
}
