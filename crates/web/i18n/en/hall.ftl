### The hall: what every page shares. Keys of rooms begin with the room's name.

## Shell
shell-skip = Skip to the content
shell-exercise = EXERCISE
shell-exercise-text = Everything on this node is invented for training. No person, firm or account in it is real.
shell-search = Search everything you may see
shell-search-hint = Wallet, phone, name, words
shell-search-go = Search
shell-account = Your account
shell-sign-out = Sign out
shell-nav = Main
shell-theme = Colours
shell-theme-auto = System
shell-theme-light = Light
shell-theme-dark = Dark
shell-as-of = Includes everything up to
shell-printed = Printed by
shell-logged = What you open and search is recorded in the access log.

## Dates: the order of the parts is each language's own
date-time = { $day } { $month } { $year }, { $time } { $zone }
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec

## Parts
copy = Copy
copied = Copied
paging-label = Pages
paging-of = { $shown } of { $total }
paging-of-more = { $shown } of more than { $total }
paging-more = Show more
paging-previous = Back to the first ones
filters-title = Filters
filters-apply = Apply filters
filters-clear = Clear all filters
filters-remove = Remove filter
crumbs-label = You are here
live-on = Live
live-new = new since you opened this page
live-lost = Live updates are interrupted; trying again
live-paused = Paused while you look elsewhere
live-load = Show them
figure-open = Explore
figure-close = Back to the drawing
figure-omitted = { $n ->
    [one] One more is in the table above.
   *[other] { $n } more are in the table above.
}
readers-title = Who will read this
readers-accounts = { $n ->
    [one] One account of this agency
   *[other] { $n } accounts of this agency
}
readers-nobody-else = Nobody outside this agency
readers-leaves = This leaves your agency. You can withdraw it later; what others have read by then stays read.

## Forms
form-errors-title = There is a problem
form-too-long = Use { $limit } characters or fewer.
form-not-in-range = Enter a whole number from { $from } to { $to }.
form-too-many-fields = The form has more fields than the node takes at once.
csrf-token-what = The form is not from this session, or it lay open too long.
csrf-token-advice = Load the page again and send the form once more. Nothing was changed.
csrf-site-what = The form was sent from another site.
csrf-site-advice = Open the page on this node and send the form from there. Nothing was changed.
csrf-spent-what = This form was sent before; it did its work the first time.
csrf-spent-advice = Look at the result of the first time before you send another.

## Problems
problem-home = Go to the overview
problem-400-title = The request cannot be read
problem-400-what = Something in the request is not as the node expects it.
problem-400-advice = Check what you entered and send it again.
problem-401-title = Sign in first
problem-401-what = This page is for people who have signed in.
problem-401-advice = Sign in and open the page again.
problem-403-title = Your role does not allow this
problem-403-what = The page or action belongs to another role.
problem-403-advice = Use the menu for what is yours to do. Ask your administrator if you need this for your work.
problem-404-title = Not found
problem-404-what = There is nothing here that you may see.
problem-404-advice = Check the address or the id. It may have been withdrawn, or it is in a collection you are not a reader of.
problem-405-title = This address does not do that
problem-405-what = The page exists, but not for this kind of request.
problem-405-advice = Open it from the page that leads to it.
problem-409-title = Somebody was faster
problem-409-what = What you were changing has changed since you loaded it. Nothing of yours was saved.
problem-409-advice = Load the page again, look at what changed, and decide anew.
problem-413-title = Too large
problem-413-what = What you sent is larger than this address takes.
problem-413-advice = Send it in parts, or ask the operator of this node to bring in a large file.
problem-415-title = A format the node does not read here
problem-415-what = The content type of what you sent is not one this address takes.
problem-415-advice = Look at the list of formats on the import page.
problem-429-title = Too many requests
problem-429-what = There were too many requests in a short time.
problem-429-advice = Wait a minute and try again.
problem-500-title = The node made a mistake
problem-500-what = Something went wrong inside the node. It is in the node's log; nothing of yours was shown to anybody.
problem-500-advice = Try again. If it happens again, tell your administrator when it happened.
problem-503-title = Not ready yet
problem-503-what = The node cannot answer this at the moment.
problem-503-advice = Try again in a few seconds.
