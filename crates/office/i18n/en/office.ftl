### The front office: sign-in, accounts, tokens, the ledger's heads, the access log.

## Navigation
office-nav-overview = Overview
office-nav-search = Search
office-nav-report = Report
office-nav-import = Import
office-nav-feeds = Feeds
office-nav-collections = Collections
office-nav-ledger = Ledger
office-nav-users = Users
office-nav-tokens = Tokens
office-nav-access = Access log

## Roles
office-role = Role
office-role-reader = Reader
office-role-reader-hint = Reads what the collections' audiences allow.
office-role-analyst = Analyst
office-role-analyst-hint = Reads, reports, imports and withdraws.
office-role-supervisor = Supervisor
office-role-supervisor-hint = An analyst who also reads the restricted collection and says who reads what they read themselves.
office-role-administrator = Administrator
office-role-administrator-hint = Accounts, who reads which collection, and the machine; reads no intelligence.
office-role-auditor = Auditor
office-role-auditor-hint = Access log, retention and proofs; reads no intelligence.
office-role-peer = Peer
office-role-peer-hint = Another node: it sees nothing until a collection is granted to it.
office-role-local = Command line
office-role-unknown = Unknown role
office-role-missing = Choose a role.
office-role-wrong = This was not done: the account does not allow it. Load the page again and look at its state.
office-role-change = Change the role
office-role-go = Change role

## Sign-in
office-sign-in-title = Sign in
office-sign-in-go = Sign in
office-sign-in-lost = Lost your password or your second factor? Your administrator can set a new one.
office-name = Name
office-name-hint = What the person signs in with. No two accounts share one, and it holds no colon.
office-name-missing = Enter the account's name.
office-name-wrong = Choose another name: this one is taken, or it holds a character that names do not.
office-password = Password
office-password-missing = Enter the password.
office-code = Code of the second factor
office-code-hint = Six digits from the authenticator app, or one of your recovery codes.
office-code-mine = I use a second factor
office-code-needed = Enter the code from your authenticator app, and your password once more.
office-code-wrong = That code is not right, or it was used already. Look at the app and at your device's clock.
office-refused = Name, password or code is not right.
office-throttled = There were too many attempts. Try again in { $seconds } seconds.
office-link-title = Sign in with this link
office-link-text = The link signs one person in, once. Press the button on the device you want to work with.
office-link-as = You sign in as
office-link-until = It may be used until
office-link-go = Sign in
office-link-not-you = What is done with this account counts as yours. If the name is somebody else's, ask whoever gave you the link for one of your own.
office-link-spent-title = This link signs nobody in any more
office-link-used = Somebody signed in with it on
office-link-used-you = If that was you, you may still be signed in in that browser.
office-link-used-not-you = If it was not you, tell your administrator at once: somebody else has come in in your place.
office-link-over = Nobody used it in time: its time was over on
office-link-unknown = The node does not know this link, or its account was disabled. Perhaps a part of the address is missing.
office-link-advice = Sign in with your name and password if you have set one. If not, ask whoever gave you the link for a new one.

## Your account
office-account-title = Your account
office-account-tokens = Your tokens for programs
office-sessions = Sessions
office-sessions-title = Where you are signed in
office-sessions-text = End every session that you do not recognise, and then change your password.
agent-another-program = Another program
office-agent-on = { $browser } on { $system }
office-session-this = this session
office-session-end = End session
office-col-browser = Browser
office-col-begun = Begun
office-col-used = Last used
office-col-do = Actions
office-password-title = Your password
office-password-none = You came in with a link and have no password yet. Set one, and you can come in again without a link.
office-password-old = Present password
office-password-new = New password
office-password-go = Set password
office-password-first = Password
office-password-hint = At least { $n } characters. Several words are best.
office-password-rules = Choose a password of at least { $n } characters that is not the name and not among the first that are tried.
office-password-wrong = The present password is not right, or there were too many attempts. Try again in a minute.
office-factor-title = Second factor
office-factor-on = { $n ->
    [one] On. One recovery code is left.
   *[other] On. { $n } recovery codes are left.
}
office-factor-off = Off. With a second factor nobody comes in who has only learned your password.
office-factor-none = Off
office-factor-begin = Set up a second factor
office-factor-remove = Remove second factor
office-factor-there = Your account has a second factor already.
office-factor-there-so = Remove the old one on your account's page first.
office-enrol-title = Set up a second factor
office-enrol-text = Scan the code with your authenticator app, or type the secret into it. Then enter the six digits that the app shows. The secret is not shown again.
office-enrol-qr = QR code of the secret, for the camera of your authenticator app
office-enrol-secret = Secret
office-enrol-url = As an address for apps
office-enrol-again = The secret is in your app and is not shown again. Enter the code that the app shows now, or go back and begin anew.
office-enrol-go = Confirm
office-enrol-back = Back to your account
office-codes-title = Your recovery codes
office-codes-text = The second factor is on. Each of these codes stands in for the app once. Write them down and keep them away from the device; they are not shown again.
office-codes-print = Print them
office-codes-kept = I have written them down
office-settings-title = Settings
office-settings-go = Save settings
office-display = Name on pages
office-display-wrong = Enter a name of at most 120 characters on one line.
office-zone = Time zone
office-zone-hint = Such as Asia/Bangkok or UTC.
office-zone-wrong = Enter a time zone such as Asia/Bangkok.

## Users
office-users-title = Users
office-users-text = Everybody and everything that may come in. Names stay on this node.
office-users-without-factor = Only people without a second factor are shown.
office-users-all = Show all
office-reach-title = What it reads and writes
office-reach-none = Nothing: no collection is open to it, by its role or by name.
office-reach-grant = Grant and take back: the list of collections
office-reach-by-name = Granted by name
office-reach-by-role = By its role
office-col-may = May
office-col-how = How
office-may-read = Read
office-may-write = Read and write
office-may-nothing = Nothing: its role or state does not allow what it was granted
office-may-unknown = Nothing: the grant has a condition that this version does not know
office-col-sort = Kind
office-col-state = State
office-sort-person = Person
office-sort-token = Program
office-sort-machine = This node
office-sort-peer = Another node
office-sort-unknown = Unknown
office-enabled = Enabled
office-disabled = Disabled
office-add-title = Add a person
office-add-go = Add person
office-password-set = Set a new password
office-password-set-text = Their sessions end. Tell them the password in person, and let them change it.
office-password-set-go = Set password
office-factor-reset = Remove the second factor
office-factor-reset-text = For somebody who lost it. Make sure that it is them who asks. Their sessions end.
office-factor-reset-go = Remove second factor
office-disable-title = Disable the account
office-disable-text = Its sessions and tokens stop working at once. What it wrote stays.
office-disable-go = Disable account
office-enable-title = Enable the account again
office-enable-go = Enable account
office-user-fixed = This is your own account, or one of this node's own. It is not changed here.
office-own-account = Nobody changes the role or state of the account they are signed in with.
office-own-account-so = Ask another administrator. Your password and second factor are on your account's page.
office-deed-unknown = The form does not say what to do.

## Tokens
office-tokens-title = Tokens
office-tokens-all = What programs and other nodes come in with: TAXII, the live stream, the API. Each acts as its own account.
office-tokens-own = What your programs come in with: TAXII, the live stream, the API. They act as you.
office-tokens-soon = Only tokens that end within { $days } days are shown.
office-tokens-every = Show all
office-tokens-none-soon = No token ends soon.
office-tokens-none = No tokens
office-tokens-none-text = A program needs one to read from this node. Make the first below.
office-col-account = Account
office-col-made = Made
office-col-by = Made by
office-col-ends = Ends
office-token-new = Make a token
office-token-name = Name of the program or node
office-token-name-hint = The account that the token acts as. Left empty, the node gives it a name.
office-token-days = Days until it ends
office-token-days-hint = Left empty, it ends when it is revoked.
office-token-endless = When revoked
office-token-go = Make token
office-token-revoke = Revoke
office-token-wrong = The token was not made: choose another name, or revoke tokens that are not needed.
office-secret-title = Your new token
office-secret-text = Copy the token now. It is not shown again; whoever has it may do what its role may.
office-secret-kept = I have copied it
office-secret-peer = Another node sees nothing by its role. Grant it a collection now.

## Collections
office-collections-title = Collections
office-collections-text = Who reads and who writes what. An audience names roles, which count for everybody who has them, and accounts.
office-collections-grants = Open a collection to grant or to take back.
office-collections-none = No collections
office-collections-none-text = There is none that you may know of. Ask your administrator.
office-col-purpose = For
office-col-highest = At most
office-col-members = Who
office-col-holds = Holds
office-purpose-house = The node's own accounts
office-purpose-intake = What comes in
office-purpose-restricted = What supervisors alone read
office-purpose-shared = Intelligence for an audience of its own
office-purpose-case = A case
office-purpose-notes = Somebody's own notes
office-purpose-unknown = Something that this version does not know
office-collection-id = Id
office-open = Open
office-closed = Closed
office-member-role = Everybody with the role { $role }
office-member-role-above = Everybody with the role { $role }, or one above it
office-members-none = Nobody
office-members-more = { $n ->
    [one] and one more
   *[other] and { $n } more
}
office-members-title = Who reads and writes it
office-members-text = A role's own limits count before every grant: a reader never writes, administrators and auditors never read.
office-grant-title = Grant
office-grant-text = It holds from the next request on, and stands in the record with your name. Granted again, the last word holds.
office-grant-name = Name of an account
office-grant-name-hint = A person's, a program's or another node's, as the list of users has it.
office-grant-role = Or a whole role
office-grant-no-role = None
office-grant-may = May
office-grant-go = Grant
office-grant-take = Take back
office-grant-nobody = Enter the name of an account, or choose a role.
office-grant-both = Name an account or choose a role, not both.
office-grant-machine = That is one of this node's own accounts. What it may is not changed here.
office-grant-wrong = This was not granted: readers only read, and administrators and auditors read no intelligence. Change the role first, or choose another account.
office-grant-not-yours = You do not change who reads this. Ask a supervisor who reads it, or your administrator.

## The first page of administrators and auditors
office-desk-title = Overview
office-desk-problems = Problems of this node
office-desk-factor = People without a second factor
office-desk-tokens = Tokens that end soon
office-desk-tokens-note = Within { $days } days
office-desk-aside = Records set aside by imports
office-desk-aside-note = Analysts see them on their imports' pages.
office-desk-health = Is the node well?
office-desk-well = Nothing is wrong.
office-desk-doctor = On the machine this says the same, with what to do:
office-desk-record = The record
office-desk-verified = Last verified
office-desk-held = every proof held
office-desk-not-held = damage was found, or it could not be finished
office-desk-never-verified = Not since the access log begins, beside the running node. Ask the operator to verify it.
office-desk-ledger = Signed heads, checkpoint and views
office-desk-newest = What was asked for last
office-desk-access = The whole access log
office-desk-refused = Refused requests
office-desk-erased = What was erased last
office-desk-erased-none = Nothing, as far back as the access log was looked through.
office-desk-erased-all = All erasures
office-desk-failed = not done
office-do-doctor = Run “eye doctor” on the machine: it says which, and what to do.
office-ask-operator = Ask the operator of this node to look.

## Ledger
office-ledger-title = Ledger
office-ledger-origin = Origin
office-ledger-newest = Newest entry
office-ledger-unfolded = { $n ->
    [one] One entry could not be read by a view.
   *[other] { $n } entries could not be read by a view.
}
office-col-entries = Entries
office-col-collection = Collection
office-col-root = Root
office-col-note = Signed head
office-heads-title = Signed heads of collections
office-heads-none = No signed heads yet
office-heads-none-text = The node signs them once a minute after something was written.
office-checkpoint-title = Checkpoint of the node's own log
office-checkpoint-text = Keep a copy elsewhere, or give it to a witness: nobody can then change what was written before it without being found out.
office-checkpoint-none = There is none yet. The node signs one once a minute after something was written.
office-rooms-title = Views
office-col-room = View
office-col-position = Read up to
office-col-behind = Behind
office-col-unfolded = Not readable

## Access log
office-access-title = Access log
office-access-text = One row a request, each bound to the one before. Searches are kept as keyed hashes, never as text.
office-access-head = Newest hash
office-access-none = Nothing here
office-access-none-text = No row of the log is as you asked.
office-access-total = Rows in all
office-access-any = Any
office-access-who-hint = An account's name. Left empty: everybody.
office-access-who-wrong = No account has this name. Write it as the person signs in.
office-access-about = Object, or what was searched
office-access-about-hint = An object's id, a selector, or the very words of a search. Addresses hold only its keyed hash.
office-access-about-chosen = This object or search
office-access-kind = What was asked for
office-access-kind-object = Objects
office-access-kind-selector = Selectors
office-access-kind-search = Searches
office-access-kind-overview = Overview and lists
office-access-kind-report = Reports
office-access-kind-import = Imports
office-access-kind-sign-in = Sign-in
office-access-kind-accounts = Accounts, tokens, grants
office-access-kind-record = Ledger and access log
office-access-kind-taxii = TAXII
office-access-kind-stream = Live stream
office-access-kind-command = Commands on the machine
office-access-outcome = How it ended
office-access-outcome-answered = Answered
office-access-outcome-refused = Refused
office-access-outcome-wrong = Not found, or wrong
office-access-outcome-failed = The node's own fault
office-access-method-chosen = Only { $method }
office-access-since = From
office-access-until = Until
office-access-since-day = from { $day }
office-access-until-day = until { $day }
office-access-day-wrong = Enter a day such as 2026-11-24.
office-access-days-wrong = The last day is before the first.
office-access-unfinished = Nothing in this part of the log
office-access-unfinished-text = A page looks through a part of the log at a time. Go on to older rows.
office-access-shown = { $n ->
    [one] One row
   *[other] { $n } rows
}
office-access-newest = Newest rows
office-access-older = Older rows
office-access-csv = These rows as CSV
office-access-csv-text = At most 50,000 rows in one file, the newest first; choose days for more. The download is a row of the log, too.
office-nobody = Nobody signed in
office-col-n = No.
office-col-when = When
office-col-who = Who
office-col-request = Request
office-col-status = Status
office-col-objects = Objects
office-col-bytes = Bytes

## What was done
office-done-session = The session was ended.
office-done-password = Your password was changed, and your other sessions ended.
office-done-factor = The second factor was removed.
office-done-settings = Your settings were saved.
office-done-added = The account was added.
office-done-role = The role was changed, and the account's sessions ended.
office-done-disabled = The account was disabled.
office-done-enabled = The account was enabled.
office-done-reset = The second factor was removed, and the account's sessions ended.
office-done-revoked = The token was revoked.
office-done-granted = It was granted.
office-done-taken = It was taken back.
