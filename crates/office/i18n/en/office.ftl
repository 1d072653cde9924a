### The front office: sign-in, accounts, tokens, the ledger's heads, the access log.

## Navigation
office-nav-overview = Overview
office-nav-search = Search
office-nav-report = Report
office-nav-import = Import
office-nav-feeds = Feeds
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
office-role-supervisor-hint = An analyst who also reads the restricted collection, grants, approves and expunges.
office-role-administrator = Administrator
office-role-administrator-hint = Accounts and the machine; reads no intelligence.
office-role-auditor = Auditor
office-role-auditor-hint = Access log, retention and proofs; reads no intelligence.
office-role-peer = Peer
office-role-peer-hint = Another node: what it was granted, collection by collection.
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
office-link-text = The link signs you in once. Press the button on the device you want to work with.
office-link-go = Sign in
office-link-spent-what = This link was used already, or its time is over.
office-link-spent-advice = Ask whoever gave it to you for a new one.

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
office-password-title = Change your password
office-password-old = Present password
office-password-new = New password
office-password-go = Change password
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
office-tokens-none = No tokens
office-tokens-none-text = A program needs one to read from this node. Make the first below.
office-col-account = Account
office-col-made = Made
office-col-by = Made by
office-col-ends = Ends
office-token-new = Make a token
office-token-name = Name of the program
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

## Ledger
office-ledger-title = Ledger
office-ledger-origin = Origin
office-ledger-newest = Newest entry
office-ledger-unfolded = { $n ->
    [one] One entry could not be read by a view. Run “eye doctor” on the machine.
   *[other] { $n } entries could not be read by a view. Run “eye doctor” on the machine.
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
office-access-none-text = There are no rows before this one.
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
