"""What mail programs call the headers of an older mail, in their user's language: above quotes and forwards."""

_NAMES = {
    "from": "from von van de da från fra od absender expéditeur afzender remitente mittente lähettäjä feladó kimden"
    " gönderen expeditor saatja от від од από מאת من 差出人 发件人 寄件者 寄件人 보낸사람",
    "date": "sent date verzonden datum gesendet envoyé fecha enviado inviato data skickat sendt dato wysłano odesláno"
    " odoslané poslano lähetetty päivämäärä elküldve dátum gönderildi gönderilme tarih trimis saadetud отправлено дата"
    " надіслано στάλθηκε ημερομηνία נשלח תאריך 送信日時 日付 日時 发送时间 日期 寄件日期",
    "to": "to aan an à a para till til do komu za vastaanottaja címzett kime către adresaat кому προς אל إلى"
    " 宛先 收件人",
    "cc": "cc bcc kopie copie copia kopia kopio másolatot bilgi копия копія עותק 抄送",
    "subject": "subject onderwerp betreff objet sujet asunto oggetto assunto ämne emne temat předmět predmet aihe tárgy"
    " konu subiect teema тема θέμα נושא الموضوع 件名 主题 主題",
    "other": "importance wichtigkeit urgentie priority reply-to organization organisation company attachments anlagen"
    " bijlagen responder-a",
}
# By name in small letters: "from", "date", "to", "cc", "subject" or "other".
HEADER_KIND = {name: kind for kind, names in _NAMES.items() for name in names.split()}
