//! Signatures of addresses: published vectors hold, everything changed in them fails, and a signer's file tags what it proves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use k256::ecdsa::SigningKey;
use money::chain::{Network, address_text, hash160};
use money::tags::{Job, Proof, Scheme, Signer, Source, Tags, verify};
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use std::ops::ControlFlow;
use std::path::Path;

fn check(network: &str, address: &str, message: &str, signature: &str) -> Result<Scheme, &'static str> {
    verify(&Proof { network, address, message, signatures: &[signature], script: None })
}

/// Bitcoin Core's `util_tests`, BIP 322's own, and eth-account's documentation.
const VECTORS: [(&str, &str, &str, &str, Scheme); 6] = [
    (
        "btc",
        "15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs",
        "Trust no one",
        "IPojfrX2dfPnH26UegfbGQQLrdK844DlHq5157/P6h57WyuS/Qsl+h/WSVGDF4MUi4rWSswW38oimDYfNNUBUOk=",
        Scheme::BitcoinMessage,
    ),
    (
        "btc",
        "11canuhp9X2NocwCq7xNrQYTmUgZAnLK3",
        "Trust me",
        "IIcaIENoYW5jZWxsb3Igb24gYnJpbmsgb2Ygc2Vjb25kIGJhaWxvdXQgZm9yIGJhbmtzIAaHRtbCeDZINyavx14=",
        Scheme::BitcoinMessage,
    ),
    (
        "btc",
        "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l",
        "",
        "AkcwRAIgM2gBAQqvZX15ZiysmKmQpDrG83avLIT492QBzLnQIxYCIBaTpOaD20qRlEylyxFSeEA2ba9YOixpX8z46TSDtS40ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
        Scheme::Bip322,
    ),
    (
        "btc",
        "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l",
        "Hello World",
        "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
        Scheme::Bip322,
    ),
    (
        "btc",
        "bc1ppv609nr0vr25u07u95waq5lucwfm6tde4nydujnu8npg4q75mr5sxq8lt3",
        "Hello World",
        "AUHd69PrJQEv+oKTfZ8l+WROBHuy9HKrbFCJu7U1iK2iiEy1vMU5EfMtjc+VSHM7aU0SDbak5IUZRVno2P5mjSafAQ==",
        Scheme::Bip322,
    ),
    (
        "eth",
        "0x5ce9454909639d2d17a3f753ce7d93fa0b9ab12e",
        "I♥SF",
        "0xe6ca9bba58c88611fad66a6ce8f996908195593807c4b38bd528d2cff09d4eb33e5bfbbf4d3e39b1a2fd816a7680c19ebebaf3a141b239934ad43cb33fcec8ce1c",
        Scheme::Ethereum,
    ),
];

#[test]
fn published_signatures_hold() {
    for (network, address, message, signature, scheme) in VECTORS {
        assert_eq!(check(network, address, message, signature), Ok(scheme), "{address} {message}");
    }
}

#[test]
fn another_message_address_or_signature_never_holds() {
    for (at, (network, address, message, signature, _)) in VECTORS.into_iter().enumerate() {
        assert!(check(network, address, &format!("{message}."), signature).is_err(), "{address}");
        for (_, other, ..) in VECTORS.into_iter().filter(|(_, other, ..)| *other != address) {
            assert!(check(network, other, message, signature).is_err(), "{address} for {other}");
        }
        let mut changed = signature.to_owned();
        let middle = changed.len() / 2;
        let swap = if changed.as_bytes()[middle] == b'a' { "b" } else { "a" };
        changed.replace_range(middle..=middle, swap);
        assert!(check(network, address, message, &changed).is_err(), "vector {at}");
        assert!(check(network, address, message, "").is_err());
    }
    assert!(check("sol", "x", "m", "s").unwrap_err().contains("cannot be verified yet"));
}

/// A key that signs as wallets do.
struct Wallet(SigningKey);

impl Wallet {
    fn new(seed: u8) -> Wallet {
        Wallet(SigningKey::from_slice(&[seed; 32]).unwrap())
    }
    fn short(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(true).as_bytes().to_vec()
    }
    fn account(&self) -> Vec<u8> {
        let point = self.0.verifying_key().to_sec1_point(false);
        Keccak256::digest(&point.as_bytes()[1..])[12..].to_vec()
    }
    fn bitcoin(&self, message: &str, header: u8) -> String {
        let magic = [&b"\x18Bitcoin Signed Message:\n"[..], &[message.len() as u8], message.as_bytes()].concat();
        let hash = Sha256::digest(Sha256::digest(magic));
        let (signature, id) = self.0.sign_prehash_recoverable(&hash);
        STANDARD.encode([&[header + id.to_byte()][..], &signature.to_bytes()].concat())
    }
    fn account_signs(&self, who: &str, message: &str, of_hash: bool) -> String {
        let mut body = message.as_bytes().to_vec();
        if of_hash {
            body = Keccak256::digest(&body).to_vec();
        }
        let framed = [format!("\x19{who} Signed Message:\n{}", body.len()).as_bytes(), &body].concat();
        let (signature, id) = self.0.sign_prehash_recoverable(&Keccak256::digest(framed));
        format!("0x{}{:02x}", hex::encode(signature.to_bytes()), 27 + id.to_byte())
    }
    fn tron(&self) -> String {
        bs58::encode([&[0x41][..], &self.account()].concat()).with_check().into_string()
    }
    fn of(kind: u8, hash: &[u8]) -> String {
        address_text(&[&[kind][..], hash].concat(), Network::Main).unwrap()
    }
}

const SAYS: &str = "I am an EXERCISE exchange address";

#[test]
fn every_address_that_a_key_alone_spends_from_is_proved_whatever_the_header_says() {
    let wallet = Wallet::new(7);
    let hash = hash160(&wallet.short());
    let nested = hash160(&[&[0, 20][..], &hash].concat());
    for address in [Wallet::of(1, &hash), Wallet::of(3, &hash), Wallet::of(2, &nested)] {
        for header in [27, 31, 35, 39] {
            assert_eq!(
                check("btc", &address, SAYS, &wallet.bitcoin(SAYS, header)),
                Ok(Scheme::BitcoinMessage),
                "{address}"
            );
        }
    }
    for of_hash in [false, true] {
        let evm = format!("0x{}", hex::encode(wallet.account()));
        assert_eq!(check("bsc", &evm, SAYS, &wallet.account_signs("Ethereum", SAYS, of_hash)), Ok(Scheme::Ethereum));
        assert_eq!(check("trx", &wallet.tron(), SAYS, &wallet.account_signs("TRON", SAYS, of_hash)), Ok(Scheme::Tron));
        assert!(check("trx", &wallet.tron(), SAYS, &wallet.account_signs("Ethereum", SAYS, of_hash)).is_err());
    }
}

fn two_of_three() -> ([Wallet; 3], Vec<u8>) {
    let wallets = [Wallet::new(1), Wallet::new(2), Wallet::new(3)];
    let mut script = vec![0x52];
    for wallet in &wallets {
        script.push(33);
        script.extend(wallet.short());
    }
    script.extend([0x53, 0xae]);
    (wallets, script)
}

#[test]
fn a_script_of_several_keys_needs_as_many_of_them_as_it_says() {
    let (wallets, script) = two_of_three();
    let [a, b, _] = &wallets;
    let (a, b, stranger) = (a.bitcoin(SAYS, 31), b.bitcoin(SAYS, 31), Wallet::new(9).bitcoin(SAYS, 31));
    let nested = hash160(&[&[0, 32][..], &Sha256::digest(&script)].concat());
    let addresses = [Wallet::of(2, &hash160(&script)), Wallet::of(4, &Sha256::digest(&script)), Wallet::of(2, &nested)];
    let hexed = hex::encode(&script);
    for address in &addresses {
        let proved = |signatures: &[&str], script| {
            verify(&Proof { network: "btc", address, message: SAYS, signatures, script: Some(script) })
        };
        assert_eq!(proved(&[&a, &b], &hexed), Ok(Scheme::BitcoinMultisig));
        assert!(proved(&[&a], &hexed).unwrap_err().contains("fewer keys"));
        assert!(proved(&[&a, &a], &hexed).unwrap_err().contains("fewer keys"));
        assert!(proved(&[&a, &stranger], &hexed).is_err());
        assert!(proved(&[&a, &b], "51").unwrap_err().contains("not this address's"));
    }
}

/// BIP 322 over a script of two of three keys, its hash made by another implementation.
#[test]
fn bip_322_of_a_script_agrees_with_rust_bitcoin() {
    use bitcoin::absolute::LockTime;
    use bitcoin::sighash::{EcdsaSighashType, SighashCache};
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
    let (_, script) = two_of_three();
    let script = ScriptBuf::from_bytes(script);
    let pubkey = ScriptBuf::new_p2wsh(&script.wscript_hash());
    let tag = Sha256::digest("BIP0322-signed-message");
    let hash = Sha256::digest([&tag[..], &tag[..], SAYS.as_bytes()].concat());
    let transaction = |previous_output, script_sig, sequence, output| Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![TxIn { previous_output, script_sig, sequence, witness: Witness::new() }],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey: output }],
    };
    let script_sig = ScriptBuf::from_bytes([&[0, 32][..], &hash].concat());
    let null = OutPoint { txid: bitcoin::Txid::all_zeros(), vout: u32::MAX };
    let to_spend = transaction(null, script_sig, Sequence::ZERO, pubkey);
    let spent = OutPoint { txid: to_spend.compute_txid(), vout: 0 };
    let to_sign = transaction(spent, ScriptBuf::new(), Sequence::ZERO, ScriptBuf::from_bytes(vec![0x6a]));
    let sighash =
        SighashCache::new(&to_sign).p2wsh_signature_hash(0, &script, Amount::ZERO, EcdsaSighashType::All).unwrap();
    let secp = Secp256k1::new();
    let sign = |seed: u8| {
        let secret = SecretKey::from_slice(&[seed; 32]).unwrap();
        let signature = secp.sign_ecdsa(&Message::from_digest(sighash.to_byte_array()), &secret);
        [&signature.serialize_der()[..], &[1]].concat()
    };
    let signature = |seeds: [u8; 2]| {
        let mut stack = Witness::new();
        stack.push([]);
        seeds.into_iter().for_each(|seed| stack.push(sign(seed)));
        stack.push(script.as_bytes());
        STANDARD.encode(bitcoin::consensus::encode::serialize(&stack))
    };
    let address = Wallet::of(4, &Sha256::digest(script.as_bytes()));
    assert_eq!(check("btc", &address, SAYS, &signature([1, 3])), Ok(Scheme::Bip322));
    for wrong in [[3, 1], [1, 1], [1, 9]] {
        assert!(check("btc", &address, SAYS, &signature(wrong)).is_err(), "{wrong:?}");
    }
}

fn load(dir: &Path, table: &str) -> money::tags::Result<(Tags, money::tags::Loaded)> {
    let file = dir.join("EXERCISE-reserves.csv");
    std::fs::write(&file, table).unwrap();
    let signer = Signer { actor: "exercise_exchange".into(), name: "EXERCISE exchange".into() };
    let job = Job {
        file,
        source: Source::Guess(Some(signer)),
        uri: None,
        author: None,
        collection: None,
        marking: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut tags = Tags::open_to_write(dir)?;
    let loaded = tags.load(&job, &mut |_| ControlFlow::Continue(()))?;
    Ok((tags, loaded))
}

#[test]
fn a_signers_file_tags_what_it_proves_and_names_each_line_that_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Wallet::new(11), Wallet::new(12));
    let btc = Wallet::of(1, &hash160(&one.short()));
    let evm = format!("0x{}", hex::encode(one.account()));
    let table = [
        "coin,snapshot height,amount".to_owned(),
        "BTC,1,2".into(),
        String::new(),
        "coin,Network,Snapshot Height,address,amount,message,signature1,signature2,redeem script/ public key,eoa1,eoa2"
            .into(),
        format!("BTC,BTC,763215,{btc},1.5,{SAYS},{},,,,", one.bitcoin(SAYS, 31)),
        format!("USDT-TRC20,TRX,46095694,{},9,{SAYS},{},,,,", two.tron(), two.account_signs("TRON", SAYS, true)),
        format!("ETH,ETH,16005122,{evm},2,{SAYS},{},,,,", two.account_signs("Ethereum", SAYS, true)),
        format!(
            "ETH,ETH,16005122,{evm},2,another sentence,{},,,,",
            one.account_signs("Ethereum", "another sentence", true)
        ),
        format!("ETH,ETH,16005122,{evm},2,{SAYS},{},,,{evm},", one.account_signs("Ethereum", SAYS, true)),
        format!("BTC,BTC,763215,{}A,1,{SAYS},x,,,,", &btc[..btc.len() - 1]),
    ]
    .join("\n");
    let (tags, loaded) = load(dir.path(), &table).unwrap();
    let batch = loaded.batch.unwrap();
    assert_eq!((batch.counts.tags, batch.counts.refused, batch.format.as_str()), (2, 4, "reserves"));
    let said: Vec<(&str, &str)> = loaded.refused.iter().map(|one| (one.at.as_str(), one.why.as_str())).collect();
    for (line, why) in
        [("line 7", "not this address's"), ("line 8", "--signs-as"), ("line 9", "owners"), ("line 10", "check")]
    {
        assert!(said.iter().any(|(at, said)| *at == line && said.contains(why)), "{line} {why}: {said:?}");
    }
    let answer = tags.show(&btc, &|_| true);
    let saying = &answer.statements[0].said_by[0];
    assert_eq!((saying.class, saying.confidence.as_deref(), saying.level), ("recorded", Some("ownership"), Some(100)));
    assert_eq!((saying.actor.as_deref(), answer.statements[0].network.as_str()), (Some("exercise_exchange"), "btc"));
    assert!(saying.context.as_deref().unwrap().contains("height: 763215; amount: 1.5"));
    assert_eq!(tags.show(&two.tron(), &|_| true).statements[0].network, "trx");
}

#[test]
fn a_table_without_signatures_is_no_proof() {
    let dir = tempfile::tempdir().unwrap();
    let error = load(dir.path(), "address,amount\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT,1\n").unwrap_err().to_string();
    assert!(error.contains("headings") && error.contains("nothing of it was kept"), "{error}");
    let error = load(dir.path(), "address,message,signature\n1BoatSLRHtKNngkdXEeobR76b53LETtpyT,EXERCISE exchange,x\n");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("nothing in it can be kept") && error.contains("line 2"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path().join("_tags")).unwrap().count(), 2, "lock and manifest");
}
