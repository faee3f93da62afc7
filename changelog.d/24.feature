People choose the language and the time zone of pages, mails and notices, from the foot of every page, for the browser and for their account; `languages.default` and `languages.time_zone` say what everybody else gets.
Security notices and questions in Matrix are written in the language of the account, no longer in English.
`zh-TW`, `pt-PT`, `nn` and others find the language that their readers read.
