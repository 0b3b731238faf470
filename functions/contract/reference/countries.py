"""Countries: alpha-2, alpha-3, number, then names as keys; one a line. Made by ``make tables`` from pycountry and Babel; not to be edited."""

from __future__ import annotations

from typing import Final

COUNTRIES: Final = """\
AD|AND|020|andorra|principality of andorra
AE|ARE|784|united arab emirates
AF|AFG|004|afghanistan|islamic republic of afghanistan
AG|ATG|028|antigua and barbuda
AI|AIA|660|anguilla
AL|ALB|008|albania|republic of albania
AM|ARM|051|armenia|republic of armenia
AO|AGO|024|angola|republic of angola
AQ|ATA|010|antarctica
AR|ARG|032|argentina|argentine republic
AS|ASM|016|american samoa
AT|AUT|040|austria|republic of austria
AU|AUS|036|australia
AW|ABW|533|aruba
AX|ALA|248|aland islands
AZ|AZE|031|azerbaijan|republic of azerbaijan
BA|BIH|070|bosnia and herzegovina|republic of bosnia and herzegovina
BB|BRB|052|barbados
BD|BGD|050|bangladesh|peoples republic of bangladesh
BE|BEL|056|belgium|kingdom of belgium
BF|BFA|854|burkina faso
BG|BGR|100|bulgaria|republic of bulgaria
BH|BHR|048|bahrain|kingdom of bahrain
BI|BDI|108|burundi|republic of burundi
BJ|BEN|204|benin|republic of benin
BL|BLM|652|saint barthelemy
BM|BMU|060|bermuda
BN|BRN|096|brunei|brunei darussalam
BO|BOL|068|bolivia|bolivia plurinational state of|plurinational state of bolivia
BQ|BES|535|bonaire sint eustatius and saba|caribbean netherlands
BR|BRA|076|brazil|federative republic of brazil
BS|BHS|044|bahamas|commonwealth of the bahamas
BT|BTN|064|bhutan|kingdom of bhutan
BV|BVT|074|bouvet island
BW|BWA|072|botswana|republic of botswana
BY|BLR|112|belarus|republic of belarus
BZ|BLZ|084|belize
CA|CAN|124|canada
CC|CCK|166|cocos islands|cocos keeling islands
CD|COD|180|congo kinshasa|congo the democratic republic of the
CF|CAF|140|central african republic
CG|COG|178|congo|congo brazzaville|republic of the congo
CH|CHE|756|swiss confederation|switzerland
CI|CIV|384|cote divoire|republic of cote divoire
CK|COK|184|cook islands
CL|CHL|152|chile|republic of chile
CM|CMR|120|cameroon|republic of cameroon
CN|CHN|156|china|peoples republic of china
CO|COL|170|colombia|republic of colombia
CR|CRI|188|costa rica|republic of costa rica
CU|CUB|192|cuba|republic of cuba
CV|CPV|132|cabo verde|cape verde|republic of cabo verde
CW|CUW|531|curacao
CX|CXR|162|christmas island
CY|CYP|196|cyprus|republic of cyprus
CZ|CZE|203|czech republic|czechia
DE|DEU|276|federal republic of germany|germany
DJ|DJI|262|djibouti|republic of djibouti
DK|DNK|208|denmark|kingdom of denmark
DM|DMA|212|commonwealth of dominica|dominica
DO|DOM|214|dominican republic
DZ|DZA|012|algeria|peoples democratic republic of algeria
EC|ECU|218|ecuador|republic of ecuador
EE|EST|233|estonia|republic of estonia
EG|EGY|818|arab republic of egypt|egypt
EH|ESH|732|western sahara
ER|ERI|232|eritrea|state of eritrea
ES|ESP|724|kingdom of spain|spain
ET|ETH|231|ethiopia|federal democratic republic of ethiopia
FI|FIN|246|finland|republic of finland
FJ|FJI|242|fiji|republic of fiji
FK|FLK|238|falkland islands|falkland islands malvinas
FM|FSM|583|federated states of micronesia|micronesia|micronesia federated states of
FO|FRO|234|faroe islands
FR|FRA|250|france|french republic
GA|GAB|266|gabon|gabonese republic
GB|GBR|826|united kingdom|united kingdom of great britain and northern ireland
GD|GRD|308|grenada
GE|GEO|268|georgia
GF|GUF|254|french guiana
GG|GGY|831|guernsey
GH|GHA|288|ghana|republic of ghana
GI|GIB|292|gibraltar
GL|GRL|304|greenland
GM|GMB|270|gambia|republic of the gambia
GN|GIN|324|guinea|republic of guinea
GP|GLP|312|guadeloupe
GQ|GNQ|226|equatorial guinea|republic of equatorial guinea
GR|GRC|300|greece|hellenic republic
GS|SGS|239|south georgia and south sandwich islands|south georgia and the south sandwich islands
GT|GTM|320|guatemala|republic of guatemala
GU|GUM|316|guam
GW|GNB|624|guinea bissau|republic of guinea bissau
GY|GUY|328|guyana|republic of guyana
HK|HKG|344|hong kong|hong kong sar china|hong kong special administrative region of china
HM|HMD|334|heard island and mcdonald islands
HN|HND|340|honduras|republic of honduras
HR|HRV|191|croatia|republic of croatia
HT|HTI|332|haiti|republic of haiti
HU|HUN|348|hungary
ID|IDN|360|indonesia|republic of indonesia
IE|IRL|372|ireland
IL|ISR|376|israel|state of israel
IM|IMN|833|isle of man
IN|IND|356|india|republic of india
IO|IOT|086|british indian ocean territory
IQ|IRQ|368|iraq|republic of iraq
IR|IRN|364|iran|iran islamic republic of|islamic republic of iran
IS|ISL|352|iceland|republic of iceland
IT|ITA|380|italian republic|italy
JE|JEY|832|jersey
JM|JAM|388|jamaica
JO|JOR|400|hashemite kingdom of jordan|jordan
JP|JPN|392|japan
KE|KEN|404|kenya|republic of kenya
KG|KGZ|417|kyrgyz republic|kyrgyzstan
KH|KHM|116|cambodia|kingdom of cambodia
KI|KIR|296|kiribati|republic of kiribati
KM|COM|174|comoros|union of the comoros
KN|KNA|659|saint kitts and nevis
KP|PRK|408|democratic peoples republic of korea|korea democratic peoples republic of|north korea
KR|KOR|410|korea republic of|south korea
KW|KWT|414|kuwait|state of kuwait
KY|CYM|136|cayman islands
KZ|KAZ|398|kazakhstan|republic of kazakhstan
LA|LAO|418|lao peoples democratic republic|laos
LB|LBN|422|lebanese republic|lebanon
LC|LCA|662|saint lucia
LI|LIE|438|liechtenstein|principality of liechtenstein
LK|LKA|144|democratic socialist republic of sri lanka|sri lanka
LR|LBR|430|liberia|republic of liberia
LS|LSO|426|kingdom of lesotho|lesotho
LT|LTU|440|lithuania|republic of lithuania
LU|LUX|442|grand duchy of luxembourg|luxembourg
LV|LVA|428|latvia|republic of latvia
LY|LBY|434|libya
MA|MAR|504|kingdom of morocco|morocco
MC|MCO|492|monaco|principality of monaco
MD|MDA|498|moldova|moldova republic of|republic of moldova
ME|MNE|499|montenegro
MF|MAF|663|saint martin|saint martin french part
MG|MDG|450|madagascar|republic of madagascar
MH|MHL|584|marshall islands|republic of the marshall islands
MK|MKD|807|north macedonia|republic of north macedonia
ML|MLI|466|mali|republic of mali
MM|MMR|104|myanmar|myanmar burma|republic of myanmar
MN|MNG|496|mongolia
MO|MAC|446|macao|macao sar china|macao special administrative region of china
MP|MNP|580|commonwealth of the northern mariana islands|northern mariana islands
MQ|MTQ|474|martinique
MR|MRT|478|islamic republic of mauritania|mauritania
MS|MSR|500|montserrat
MT|MLT|470|malta|republic of malta
MU|MUS|480|mauritius|republic of mauritius
MV|MDV|462|maldives|republic of maldives
MW|MWI|454|malawi|republic of malawi
MX|MEX|484|mexico|united mexican states
MY|MYS|458|malaysia
MZ|MOZ|508|mozambique|republic of mozambique
NA|NAM|516|namibia|republic of namibia
NC|NCL|540|new caledonia
NE|NER|562|niger|republic of the niger
NF|NFK|574|norfolk island
NG|NGA|566|federal republic of nigeria|nigeria
NI|NIC|558|nicaragua|republic of nicaragua
NL|NLD|528|kingdom of the netherlands|netherlands
NO|NOR|578|kingdom of norway|norway
NP|NPL|524|federal democratic republic of nepal|nepal
NR|NRU|520|nauru|republic of nauru
NU|NIU|570|niue
NZ|NZL|554|new zealand
OM|OMN|512|oman|sultanate of oman
PA|PAN|591|panama|republic of panama
PE|PER|604|peru|republic of peru
PF|PYF|258|french polynesia
PG|PNG|598|independent state of papua new guinea|papua new guinea
PH|PHL|608|philippines|republic of the philippines
PK|PAK|586|islamic republic of pakistan|pakistan
PL|POL|616|poland|republic of poland
PM|SPM|666|saint pierre and miquelon
PN|PCN|612|pitcairn|pitcairn islands
PR|PRI|630|puerto rico
PS|PSE|275|palestine state of|palestinian territories|state of palestine
PT|PRT|620|portugal|portuguese republic
PW|PLW|585|palau|republic of palau
PY|PRY|600|paraguay|republic of paraguay
QA|QAT|634|qatar|state of qatar
RE|REU|638|reunion
RO|ROU|642|romania
RS|SRB|688|republic of serbia|serbia
RU|RUS|643|russia|russian federation
RW|RWA|646|rwanda|rwandese republic
SA|SAU|682|kingdom of saudi arabia|saudi arabia
SB|SLB|090|solomon islands
SC|SYC|690|republic of seychelles|seychelles
SD|SDN|729|republic of the sudan|sudan
SE|SWE|752|kingdom of sweden|sweden
SG|SGP|702|republic of singapore|singapore
SH|SHN|654|saint helena ascension and tristan da cunha
SI|SVN|705|republic of slovenia|slovenia
SJ|SJM|744|svalbard and jan mayen
SK|SVK|703|slovak republic|slovakia
SL|SLE|694|republic of sierra leone|sierra leone
SM|SMR|674|republic of san marino|san marino
SN|SEN|686|republic of senegal|senegal
SO|SOM|706|federal republic of somalia|somalia
SR|SUR|740|republic of suriname|suriname
SS|SSD|728|republic of south sudan|south sudan
ST|STP|678|democratic republic of sao tome and principe|sao tome and principe
SV|SLV|222|el salvador|republic of el salvador
SX|SXM|534|sint maarten|sint maarten dutch part
SY|SYR|760|syria|syrian arab republic
SZ|SWZ|748|eswatini|kingdom of eswatini
TC|TCA|796|turks and caicos islands
TD|TCD|148|chad|republic of chad
TF|ATF|260|french southern and antarctic lands|french southern territories
TG|TGO|768|togo|togolese republic
TH|THA|764|kingdom of thailand|thailand
TJ|TJK|762|republic of tajikistan|tajikistan
TK|TKL|772|tokelau
TL|TLS|626|democratic republic of timor leste|timor leste
TM|TKM|795|turkmenistan
TN|TUN|788|republic of tunisia|tunisia
TO|TON|776|kingdom of tonga|tonga
TR|TUR|792|republic of turkiye|turkiye
TT|TTO|780|republic of trinidad and tobago|trinidad and tobago
TV|TUV|798|tuvalu
TW|TWN|158|taiwan|taiwan province of china
TZ|TZA|834|tanzania|tanzania united republic of|united republic of tanzania
UA|UKR|804|ukraine
UG|UGA|800|republic of uganda|uganda
UM|UMI|581|united states minor outlying islands|us outlying islands
US|USA|840|united states|united states of america
UY|URY|858|eastern republic of uruguay|uruguay
UZ|UZB|860|republic of uzbekistan|uzbekistan
VA|VAT|336|holy see|holy see vatican city state|vatican city
VC|VCT|670|saint vincent and grenadines|saint vincent and the grenadines
VE|VEN|862|bolivarian republic of venezuela|venezuela|venezuela bolivarian republic of
VG|VGB|092|british virgin islands|virgin islands british
VI|VIR|850|us virgin islands|virgin islands of the united states|virgin islands us
VN|VNM|704|socialist republic of viet nam|viet nam|vietnam
VU|VUT|548|republic of vanuatu|vanuatu
WF|WLF|876|wallis and futuna
WS|WSM|882|independent state of samoa|samoa
YE|YEM|887|republic of yemen|yemen
YT|MYT|175|mayotte
ZA|ZAF|710|republic of south africa|south africa
ZM|ZMB|894|republic of zambia|zambia
ZW|ZWE|716|republic of zimbabwe|zimbabwe"""
