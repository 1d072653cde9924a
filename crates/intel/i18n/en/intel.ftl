### The intelligence room's pages.
###
### One word for one thing. A *selector* is a wallet, number or address that was read in an object, which then *holds* it.
### Objects that hold the same selector *share* it. A shared selector *links* them, links them *less surely*, or *links nothing*,
### and why stands beside it. An object *refers to* another by a property or a relationship, whatever they share; that is no link.
### A *standing* is an object's last version in one collection.

## Columns
intel-col-name = Name
intel-col-type = Type
intel-col-marking = Marking
intel-col-collection = Collection
intel-col-arrived = Arrived
intel-col-selector = Selector
intel-col-also-in = Also in
intel-col-links = Does it link?
intel-col-strength = Can it link?
intel-col-why = Why
intel-col-listed = On reference lists
intel-col-how = How
intel-col-source = Source
intel-col-format = Format
intel-col-added = Added
intel-col-same = Already here
intel-col-aside = Set aside
intel-col-by = By
intel-col-list = List
intel-col-kind = What it says
intel-col-entries = Entries
intel-col-version = Version
intel-col-loaded = Loaded
intel-col-reported = Reported by
intel-col-entered = Entered by

## Overview
intel-overview-title = Overview
intel-overview-latest = What came in
intel-overview-links = What links
intel-overview-no-links = Nothing that came in last links to anything else that you may read. Selectors that are shared and link nothing, such as hubs, stand on the objects’ own pages.
intel-overview-empty = Nothing has come in yet
intel-overview-empty-text = Begin with a report that you have, or with a file from a partner. What you enter is read for wallets, numbers and addresses and linked by itself.
intel-do-report = Enter a report
intel-do-import = Import a file
intel-versions-count = { $n ->
    [one] One version
   *[other] { $n } versions
}
intel-objects = { $n ->
    [one] One object
   *[other] { $n } objects
}

intel-held-by = { $n ->
    [one] held by one object
   *[other] held by { $n } objects
}

intel-exercise-stands = An invented EXERCISE world stands here, so that links show on first sight.
intel-exercise-remove = Remove it
intel-exercise-title = Remove the EXERCISE world
intel-exercise-what = What goes
intel-exercise-count = { $n ->
    [one] One object in the collection
   *[other] { $n } objects in the collection
}
intel-exercise-text = They disappear from pages, searches and every way out of this node, also what people entered into this collection by hand. What stands in other collections stays. The record keeps what was withdrawn.
intel-exercise-go = Remove the EXERCISE world
intel-exercise-keep = Keep it and go back
intel-done-exercise = The EXERCISE world is removed.

## Search
intel-search-title = Search
intel-search-hits = Hits, newest first
intel-search-ask = What are you looking for?
intel-search-ask-text = Write a wallet, number, name or words into the search field above. Several words all have to occur.
intel-search-not-yours = This address is another person’s search, or is not whole. Search again.
intel-search-nothing = Nothing found
intel-search-nothing-text = Nothing that you may read holds this. You could:
intel-search-tip-words = use fewer words: all of them have to occur in one object
intel-search-tip-whole = paste the whole wallet, number or address, in any spelling; of a wallet or hash its first six characters are enough
intel-search-tip-spelling = write a name as the source wrote it, in its own script
intel-search-tip-filters = clear the filters
intel-search-unfinished = Not everything was looked through yet
intel-search-unfinished-none = Nothing was found in what was looked through so far. Older objects were not looked at yet.
intel-search-unfinished-some = Not everything was looked through yet: older hits may be missing here.
intel-search-go-on = Go on from here
intel-search-ignored = { $n ->
    [one] Only the first sixteen words were looked for; one more was left out.
   *[other] Only the first sixteen words were looked for; { $n } more were left out.
}
intel-search-unknown-type = Of type “{ $type }” there is nothing that you may read.
intel-search-no-type = Nothing of that type
intel-search-types-there = What there is:
intel-search-type-unknown = { $type }: unknown
intel-search-type-n = { $type } ({ $n })
intel-search-also-in = Also in { $places }
intel-search-any = Any
intel-search-since = Arrived on or after
intel-search-until = Arrived on or before
intel-search-since-day = Since { $day }
intel-search-until-day = Until { $day }
intel-search-day-wrong = Write the day as year-month-day, such as 2026-03-27.
intel-search-days-wrong = The last day is before the first.
intel-search-common = { $value } stands on lists of what is common, which proves nothing:
intel-search-names = { $value } is a known name in:
intel-search-listed = { $value } stands on the reference list “{ $list }”.

## Objects
intel-says = What it says
intel-facts = Record
intel-done-saved = The report is saved.
intel-done-withdrawn = It is withdrawn. The record keeps it; pages, searches and other ways out of this node do not show it.
intel-done-erased = It is erased.
intel-done-undo = Withdraw it again
intel-id = Id
intel-readable-in = Who can read it: the readers of
intel-see-import = See the import
intel-reported = Reported by
intel-reported-by = Reported by { $who }
intel-entered = Entered by
intel-withdrawn = It was withdrawn
intel-withdrawn-lead = Its content is shown nowhere. The record keeps it.
intel-withdrawn-what = What was withdrawn
intel-withdrawn-from = Withdrawn
intel-withdrawn-by = Withdrawn by
intel-withdrawn-reason = Why
intel-withdrawn-event = Withdrawn: { $why }
intel-import-withdrawn = { $n ->
    [one] One version of what it brought was withdrawn:
   *[other] { $n } versions of what it brought were withdrawn:
}
intel-import-withdrawn-more = More than { $n } versions of what it brought were withdrawn:
intel-standings = Where it stands
intel-revoked = Its author has revoked it. It links nothing.
intel-wrong-id = Its id does not fit its content. It links nothing.
intel-selectors = What was read in it
intel-no-selectors = No selector was read in it.
intel-not-looked-up = { $n ->
    [one] It has so many selectors that one of them was not looked up.
   *[other] It has so many selectors that { $n } of them were not looked up.
}
intel-more-selectors = { $n ->
    [one] One more is not shown.
   *[other] { $n } more are not shown.
}
intel-links-more = More that it shares
intel-links-first = Back to the first that it shares
intel-selectors-more = More selectors
intel-selectors-first = Back to the first selectors
intel-neighbours-more = More neighbours
intel-neighbours-first = Back to the first neighbours
intel-versions-more = Earlier versions
intel-versions-first = Back to the newest versions
intel-cut = It is longer than what is shown here; an export or TAXII has all of it.
intel-strength-links = Yes
intel-strength-weak = Not alone
intel-strength-never = Never
intel-links = What it shares with others
intel-no-links = It shares no selector with anything else that you may read.
intel-verdict-links = Links
intel-verdict-links-less-surely = Links less surely
intel-verdict-links-nothing = Links nothing
intel-why-links = the same valid value, no hub, on no list of what is common
intel-why-links-unlisted = the same valid value, no hub; no list of what is common is installed
intel-why-silent = nobody named it for { $days } days, and a number that is given up goes to somebody else
intel-more-holders = And others
intel-holders = Objects that hold it
intel-neighbours = What refers to it, and what it refers to
intel-refers = To: { $how }
intel-referred = From: { $how }
intel-statement = { $from } → { $how } → { $to }
intel-end-source = From
intel-end-target = To
intel-end-unseen = (not here, or not yours to see)
intel-around = What stands around it
intel-around-text = The object in the middle, what refers to it and what it refers to, and what shares a selector with it. The tables above say the same in words.
intel-history = History
intel-version = Version of { $at }
intel-without-version = Arrived
intel-side-by-side = Versions side by side
intel-raw = The object as it arrived
intel-withdraw = Withdraw
intel-withdraw-text = It disappears from pages, searches and every way out of this node, in all its versions; its page says only that it was withdrawn, by whom and why. It is not erased: the record keeps it.
intel-withdraw-go = Withdraw this object
intel-withdraw-reason = Why is it withdrawn?
intel-withdraw-reason-hint = The reason stays in the record and is shown to those who could see it. Write no personal data into it.
intel-withdraw-reason-missing = Say why.
intel-erase = Erase it for good
intel-erase-title = Erase an object for good
intel-erase-what = This cannot be undone
intel-erase-text = All its versions, in every collection, also withdrawn ones, are taken out of every file of this node. The record keeps that something was erased, when, by whom and why; the object is never taken here again.
intel-erase-copies = Copies that others took, and backups that are kept elsewhere, are out of this node’s reach: ask whoever keeps them.
intel-erase-go = Erase it
intel-erase-reason = Why is it erased?
intel-erase-reason-hint = The reason stays in the record for good. Write nothing into it that has to go.
intel-erase-keep = Keep it

## Reports
intel-report-title = Enter a report
intel-report-text = What was reported
intel-report-text-hint = Paste the text as it came, in any language. Wallets, numbers and addresses are found by themselves.
intel-report-text-missing = Paste the text of the report.
intel-report-look = See what is read in it
intel-report-save = Save the report
intel-report-change = Change it
intel-country = Country of the report
intel-country-hint = Two letters, such as TH. Telephone numbers without a country code are read as numbers of this country.
intel-country-wrong = That is no country code. Write the two letters of ISO 3166-1, or leave it out.
intel-country-wrong-near = That is no country code. Write the two letters of ISO 3166-1 (did you mean { $near }?), or leave it out.
intel-collection = Collection
intel-collection-hint = Its readers will read it.
intel-collection-wrong = Choose one of the collections.
intel-marking = Marking
intel-marking-hint = For what carries no marking of its own.
intel-marking-default = As the collection has it
intel-marking-wrong = Choose one of the markings.
intel-marking-too-tight = This collection has readers whom this marking does not allow. Choose another collection or another marking.
intel-may-not-write = There is no collection that you may write to, so nothing can be taken from you yet. Ask your administrator, or a supervisor who reads the collection that you need, to grant you one.
intel-preview-title = Is this what the report says?
intel-col-leave-out = Leave out
intel-leave-out = Leave out, because it is not what it looks like:
intel-added = Added by you
intel-add = What was said and not read
intel-add-hint = A wallet, number, address or account a line. The text stays as it was told.
intel-add-wrong = “{ $line }” reads as no wallet, number, address or account.
intel-look-again = Look again
intel-preview-none = No wallet, number or address was read in the text. You can save it all the same; its words are found by search.
intel-preview-readers = Who will read this
intel-preview-leaves = This collection is shared. What others have read by the time you withdraw it stays read.
intel-preview-text = The text

## Imports
intel-import-title = Import
intel-import-of = Import: { $source }
intel-import-go = Import
intel-import-new = Bring in files
intel-mapping = Mapping of a CSV file
intel-mapping-hint = A TOML file that says what its columns mean; only CSV needs one.
intel-mapping-wrong = The mapping cannot be used: { $why }
intel-import-drop = You can drop files here.
intel-imports = Imports
intel-no-imports = Nothing that you may read was imported yet.
intel-import-open = Not finished
intel-import-so-far = { $n ->
    [0] Nothing of it stands here yet.
    [one] One object stands here so far, and stays if nothing more comes.
   *[other] { $n } objects stand here so far, and stay if nothing more comes.
} Bring the file again to go on: what is known is not taken twice. Withdraw the import to take it back.
intel-import-so-far-many = More than 10,000 objects stand here so far, and stay if nothing more comes. Bring the file again to go on: what is known is not taken twice. Withdraw the import to take it back.
intel-import-broken = The file could not be read to its end.
intel-import-broken-short = Not read to its end
# Beside an import in the list.
intel-import-gone = Withdrawn
intel-import-gone-part = { $n } withdrawn
intel-import-gone-more = More than { $n } withdrawn
intel-import-broken-stays = { $n ->
    [0] Nothing new was taken before that.
    [one] One new object was taken before that, and stays.
   *[other] { $n } new objects were taken before that, and stay.
} Mend the file and bring it again: what is known is not taken twice. Withdraw the import to take it back.
intel-import-problems = What was set aside, and why
intel-import-kept = { $n ->
    [one] One record is kept. Mend it in its source and import it again.
   *[other] { $n } records are kept. Mend them in their source and import them again.
}
intel-import-aside-more = Show the next ones
intel-import-notes = Good to know
intel-import-times = { $n ->
    [one] (once)
   *[other] ({ $n } times)
}
intel-import-cut = Only its beginning is kept.
intel-import-brought = What it brought
intel-import-brought-none = Nothing of it stands here that you may read.
intel-import-more = Older ones are not shown.
intel-format = Format
intel-format-guess = Find out
intel-format-wrong = Choose one of the formats.
intel-file = Files
intel-file-hint = Up to 50, together at most { $n } MB. Each is an import of its own. Larger ones: ask the operator of this node to bring them in.
intel-file-empty = There is nothing in it.
intel-file-not-now = The node could not take it now. Send it again in a while, and not those that were taken.
intel-file-named = { $name }: { $why }
intel-files-taken = { $n ->
    [one] One file was taken: its import is in the list.
   *[other] { $n } files were taken: their imports are in the list.
}
intel-files-too-many = One form takes 50 files at most. Send the rest after them.
intel-file-refused = The file was not taken: { $why }
intel-file-unread = { $why } { $detail }
intel-file-format = The node cannot tell what this file is. Choose its format below and send it again, or ask the operator of this node.
intel-file-operator = This file cannot be read without a mapping that says what its columns are. Ask the operator of this node to bring it in with one.
intel-file-missing = Choose a file that is not empty.
intel-uploads-busy = Other files are being imported at this moment.
intel-withdraw-import = Withdraw the whole import
intel-withdraw-import-text = What this import brought and no other has brought since disappears from pages, searches and every way out of this node. The record keeps it.
intel-withdraw-import-go = Withdraw all of it

## Feeds
intel-feeds-title = Reference lists
intel-feeds-text = Files beside the record, read when a page is: what they name is told, and links nothing.
intel-feeds-none = No reference list is installed
intel-feeds-none-text = Without lists the node cannot say what is common and what is known to be bad.
intel-feeds-none-ask = Ask the operator of this node to install some.
intel-feeds-none-do = Install one on the machine:
intel-feeds-broken = This list cannot be read and is left out.
intel-feeds-again = Install it again on the machine:
intel-ask-operator = Ask the operator of this node to look.
intel-list-block = Known to be bad
intel-list-warning = Common; proves nothing
intel-list-galaxy = Names

## A person's word on a selector
intel-overrule = Overrule whether it links
intel-overrule-text = Your word counts before every rule, for all who read the objects that hold it. It is written where you see a holder and may write.
intel-overrule-word = What do you say?
intel-overrule-links = Link through this all the same
intel-overrule-nothing = Link nothing through this
intel-overrule-undo = Undo what was said: the rules count again
intel-overrule-word-missing = Choose what you say.
intel-overrule-reason = Why?
intel-overrule-reason-hint = The reason is shown to those who read its holders. Write no personal data into it.
intel-overrule-reason-missing = Say why.
intel-overrule-nowhere = It is held only in collections that you may not write to.
intel-overrule-go = Save
intel-overruled = A person decided
intel-overruled-links = It links, whatever the rules say.
intel-overruled-nothing = It links nothing.
intel-overruled-why = Why
intel-overruled-by = By
intel-done-files = The files were taken: each is an import in the list.
intel-done-overruled = Your word is saved and counts from now on.

## Why a shared selector links, or links nothing
intel-why-overruled = somebody decided so: { $reason }
intel-why-wrong = its checksum or id is wrong, or it is a placeholder
intel-why-weak = too weak to link alone
intel-why-hub = { $n } objects hold it: a hub proves nothing
intel-why-unrelated = { $n } objects hold it; of { $looked } that link elsewhere too, hardly two share anything else: a hub proves nothing
intel-why-listed = it stands on the list of what is common, “{ $list }”

## Why something that was read does not link fully: the finders' sentences, by their letters
why-13-to-19-digits-of-an-existing-issuer-are-expected = 13 to 19 digits of an existing issuer are expected
why-a-bank-s-code-all-its-customers-share-it = A bank’s code: all its customers share it
why-a-bare-run-of-digits-that-fits-the-report-s-country-without-a-cue-word = A bare run of digits that fits the report’s country, without a cue word
why-a-place-many-stand-near-it = A place: many stand near it
why-a-placeholder-or-burn-address-that-nobody-holds = A placeholder or burn address that nobody holds
why-a-placeholder-every-digit-is-the-same = A placeholder: every digit is the same
why-a-plain-word-behind-a-platform-s-name-it-may-not-be-an-account = A plain word behind a platform’s name: it may not be an account
why-a-private-loopback-link-local-or-reserved-address-everybody-has-one = A private, loopback, link-local or reserved address: everybody has one
why-an-account-number-with-letters-without-its-bank = An account number with letters, without its bank
why-country-code-001-is-for-test-networks = Country code 001 is for test networks
why-digits-only-other-countries-documents-have-the-same-number = Digits only: other countries’ documents have the same number
why-its-check-digit-does-not-hold-a-digit-is-wrong-or-missing = Its check digit does not hold: a digit is wrong or missing
why-its-check-digits-do-not-hold-a-digit-is-wrong-or-missing = Its check digits do not hold: a digit is wrong or missing
why-its-check-digits-hold-but-no-register-has-this-country-and-length = Its check digits hold, but no register has this country and length
why-its-domain-does-not-exist = Its domain does not exist
why-its-host-is-no-public-name = Its host is no public name
why-its-top-level-domain-does-not-exist = Its top-level domain does not exist
why-length-or-characters-do-not-fit = Length or characters do not fit
why-mixed-case-that-does-not-match-eip-55-a-character-is-wrong-or-missing = Mixed case that does not match EIP-55: a character is wrong or missing
why-mixes-upper-and-lower-case-which-bip-173-forbids = Mixes upper and lower case, which BIP 173 forbids
why-no-numbering-plan-we-know-has-this-number = No numbering plan we know has this number
why-nobody-s-address-zero-or-broadcast = Nobody’s address: zero or broadcast
why-not-of-the-length-or-alphabet-its-name-says = Not of the length or alphabet its name says
why-plates-repeat-between-countries-and-provinces = Plates repeat between countries and provinces
why-reads-as-a-file-name-or-two-words-as-well-as-a-host-name = Reads as a file name or two words as well as a host name
why-registers-re-use-each-other-s-numbers = Registers re-use each other’s numbers
why-short-account-numbers-repeat-between-banks = Short account numbers repeat between banks
why-the-address-s-checksum-does-not-hold-a-character-is-wrong-or-missing = The address’s checksum does not hold: a character is wrong or missing
why-the-hash-of-an-empty-file = The hash of an empty file
why-the-machine-readable-zone-s-check-digits-do-not-hold-a-character-is-wrong-or-missing = The machine-readable zone’s check digits do not hold: a character is wrong or missing
why-the-name-is-a-public-suffix-which-everybody-shares = The name is a public suffix, which everybody shares
why-written-without-and-without-a-country-read-as-international = Written without + and without a country: read as international
why-written-without-read-as-international = Written without +: read as international

## Why a record was set aside, by its code; what varies stands after it
aside-too-long = Longer than a record may be:
aside-too-deep = Nested deeper than a record may be:
aside-not-utf8 = Not valid UTF-8; save the file as UTF-8.
aside-json-unread = Its JSON could not be read. Line and column:
aside-json-syntax = A syntax error in its JSON. Line and column:
aside-json-type = A property of the wrong type in its JSON. Line and column:
aside-json-cut = Its JSON ends too early. Line and column:
aside-no-type = The object has no `type`; STIX 2.1 requires it.
aside-no-id = The object has no `id`; STIX 2.1 requires it.
aside-nested-bundle = A bundle inside a bundle. Hand over its objects.
aside-id-of-other-type = The `id` does not begin with the object’s type and two dashes.
aside-event-shape = An event is a JSON object.
aside-attribute-shape = An attribute needs `type` and `value`.
aside-value-of-other-type = The value cannot be what its MISP type says.
aside-tag-shape = A tag is a mapping of fields.
aside-tag-of-nothing = A tag needs `address` or `tx_hash`.
aside-tag-label = A tag needs a `label`, its own or the header’s.
aside-address-shape = The address is not one word of at most 256 characters.
aside-actor-id = An actor needs an `id`.
aside-actor-label = An actor needs a `label`.
aside-party-name = A party without a name.
aside-relation-shape = A relationship that does not say who, with whom, or how.
aside-empty-text = The text is empty.
aside-line-too-long = The line is too long; a list has one value a line. At most:
aside-no-selector = Neither a domain, URL, address, e-mail address nor wallet with a valid checksum.
aside-not-quoted = A domain in double quotes was expected.
aside-not-domain = Not a domain name.
aside-encoding = Not valid UTF-8; name the file’s encoding in the mapping.
aside-field-count = More fields than the header has:
aside-field-empty = The field is empty; mark the column optional if it may be.
aside-not-a-word = Not one of the mapping’s words:
aside-not-a-date = Not a date as the mapping says:
aside-constant = The mapping’s constant is not JSON.
aside-not-a-number = Not a number.
aside-file-broken = The file cannot be read on; fetch it again, it may be broken off:
aside-file-malformed = The file is not of this format:
aside-file-limit = The file is over a limit:
aside-file-options = The file cannot be read as asked:
aside-not-stix = Not a STIX object:
aside-missing = The object lacks a property that STIX 2.1 requires:
aside-invalid = A property is not valid:
aside-over-limit = The object is over a limit:
aside-ahead = Its version lies more than a day ahead; mend the clock or the timestamp.
aside-other-content = This version stands here with other content; send a newer `modified`.
aside-erased = It was erased here and is not taken again.
aside-not-written = It was not written.
aside-marked-tighter = It is marked tighter than this collection takes; send it to one that takes it, or ask a supervisor:

## What an import notes: the readers' fixed sentences, by their letters
note-marked-tighter-than-the-collection-takes-it-went-where-fewer-people-read = Marked tighter than the collection takes: it went where fewer people read
note-a-placeholder-address-was-left-out = A placeholder address was left out
note-a-galaxy-cluster-without-a-value-was-left-out = A galaxy cluster without a value was left out
note-a-sighting-that-says-expired-was-left-out = A sighting that says `expired` was left out
note-a-reference-to-something-that-is-not-in-the-event-was-left-out = A reference to something that is not in the event was left out
note-a-sanctions-entry-about-a-party-that-is-not-in-the-file = A sanctions entry about a party that is not in the file
note-an-identity-document-without-a-number = An identity document without a number
note-an-identity-document-of-nobody-in-the-file = An identity document of nobody in the file
note-an-e-mail-address-or-website-that-is-none-was-left-in-the-party-s-description-only = An e-mail address or website that is none was left in the party’s description only
note-something-follows-the-end-of-the-bundle-and-was-not-read = Something follows the end of the bundle and was not read
note-a-confidence-class-that-graphsense-does-not-list-was-read-as-unknown = A confidence class that GraphSense does not list was read as `unknown`

## Formats of files
format-stix = STIX 2.1 bundle
format-stix-lines = STIX 2.1, an object a line
format-misp = MISP event
format-tagpack = GraphSense TagPack
format-actorpack = GraphSense ActorPack
format-ofac-sdn = OFAC SDN Advanced XML
format-list = List, a value a line
format-eth-phishing-detect = eth-phishing-detect
format-csv = CSV with a mapping
format-text = Free text
