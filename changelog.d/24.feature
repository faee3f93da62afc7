People choose the language and the time zone of pages, mails and notices, from the foot of every page, for the browser and for their account; `languages.default` and `languages.time_zone` say what everybody else gets.
Security notices and questions in Matrix are written in the language of the account, no longer in English.
`zh-TW`, `pt-PT`, `nn` and others find the language that their readers read.
Pages and mails appear under the operator's name: the section `branding` of the configuration has a name, a logo for light and dark, an icon, an accent colour and a background whose contrast is checked, links, and words for seven pages, each text in several languages.
Pages and mails in your own look: `templates` names a directory whose templates, pictures and style sheet take the place of ours, file by file; `static/extra.css` is loaded after ours. What each template is handed is documented and stays. See [pages in your own look](docs/topics/templates.md).
`synapse-nextgen-auth templates list`, `check` and `preview` show every page and mail with example data in a browser, and what is wrong with yours, before anything is live.
The pages of an account show its picture beside its id; a picture that is not square is no longer drawn out.
Recovery codes and personal tokens are printed black on white on one sheet, whatever scheme the screen has, with whose they are.
A provider with an `idp_brand` of the Matrix specification and no `idp_icon` has the mark of its brand on its button.
`templates preview` shows every component in every state at `/kit`, with its rules beside it.
The first field that is wrong has the focus on every page, and says what is wrong; links that are called alike say what they are about.
Every form that comes back has a summary above it that is announced, and whose sentences lead to the fields that are wrong; own templates find `summary` and `to` of `notice` in `components/notice.html`.
`templates list --yours` lists the operator's files alone, and `templates check` takes two seconds for one file instead of ten: it makes the pages that the file is part of, in the languages in which they can come out otherwise.
A page that has to be answered in time says how many minutes are left for it.
Services that sign somebody in show their picture or mark in the account, too; the macro `row_with` of `components/console.html` takes an `image`, too, and there is `provider_picture` in `components/providers.html`.
Who comes back to a request to sign in within a quarter of an hour after its end finds the way back to the application on the page that says so, with an answer that the application understands.
